package kvasir.scripts.nodes;

import com.oracle.truffle.api.TruffleLanguage;
import com.oracle.truffle.api.frame.FrameDescriptor;
import com.oracle.truffle.api.frame.VirtualFrame;
import com.oracle.truffle.api.nodes.RootNode;
import com.oracle.truffle.api.source.Source;
import com.oracle.truffle.api.source.SourceSection;
import kvasir.grammar.Span;
import kvasir.scripts.binding.Nothing;
import org.jspecify.annotations.Nullable;

/** A body that is run as a whole: the top level of a file, a test, a function. The first argument is the {@link Execution}. */
public final class KvsRootNode extends RootNode {
    private final String name;
    private final Span span;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private BlockNode body;

    private @Nullable Source source;

    /**
     * @param language the hosting language; none when run without an engine
     * @param source the text as the engine knows it; none when run without an engine
     * @param name how stack traces call it
     */
    public KvsRootNode(
            @Nullable TruffleLanguage<?> language,
            FrameDescriptor frame,
            @Nullable Source source,
            String name,
            Span span,
            BlockNode body) {
        super(language, frame);
        this.source = source;
        this.name = name;
        this.span = span;
        this.body = body;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        try {
            body.execute(frame);
            return Nothing.NOTHING;
        } catch (ReturnNode.Returned returned) {
            return returned.value();
        }
    }

    SourceSection section(Span part) {
        Source known = source;
        if (known == null) {
            known = Source.newBuilder("kvs", span.source().text(), span.source().name())
                    .build();
            source = known;
        }
        return known.createSection(part.start(), part.end() - part.start());
    }

    @Override
    public SourceSection getSourceSection() {
        return section(span);
    }

    @Override
    public String getName() {
        return name;
    }

    @Override
    public String toString() {
        return name;
    }
}
