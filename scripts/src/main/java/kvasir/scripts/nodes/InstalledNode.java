package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import kvasir.grammar.Span;
import kvasir.scripts.InstalledFiles;
import kvasir.scripts.binding.Refusal;
import kvasir.scripts.binding.Values;

/** {@code installed("/boot/vmlinuz-*")}: the path of a file that a user may lack; without it the case is skipped. */
public final class InstalledNode extends ExpressionNode {
    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode pattern;

    /** @param pattern a path whose names may hold {@code *} */
    public InstalledNode(Span span, ExpressionNode pattern) {
        super(span);
        this.pattern = pattern;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Object value = pattern.execute(frame);
        if (!(value instanceof String text)) {
            throw refused(
                    Refusal.of("E0302", "installed wants a string", "this is " + Values.kind(value)), pattern.span());
        }
        return InstalledFiles.find(text)
                .map(Object.class::cast)
                .orElseThrow(() -> refused(
                        Refusal.of(InstalledFiles.ABSENT, InstalledFiles.absence(text), "no file has such a name"),
                        pattern.span()));
    }
}
