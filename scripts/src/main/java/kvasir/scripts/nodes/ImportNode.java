package kvasir.scripts.nodes;

import com.oracle.truffle.api.CallTarget;
import com.oracle.truffle.api.frame.VirtualFrame;
import java.util.List;
import kvasir.grammar.Span;
import org.jspecify.annotations.Nullable;

/** {@code import "file.kvs"}: runs the top level of the file, then its setups, where it is imported first. */
public final class ImportNode extends StatementNode {
    private final @Nullable CallTarget topLevel;
    private final List<CallTarget> setups;

    /** @param topLevel absent if the file was imported before */
    public ImportNode(Span span, @Nullable CallTarget topLevel, List<CallTarget> setups) {
        super(span);
        this.topLevel = topLevel;
        this.setups = List.copyOf(setups);
    }

    @Override
    public void execute(VirtualFrame frame) {
        if (topLevel != null) {
            topLevel.call(execution(frame));
            setups.forEach(setup -> setup.call(execution(frame)));
        }
    }
}
