package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import kvasir.grammar.Identifier;
import kvasir.grammar.Span;
import kvasir.registry.Described;
import kvasir.scripts.binding.Members;

/**
 * {@code td.mrtd ledger} after {@code show}: a member of {@code td.mrtd} or, if that is a plain value and {@code td} has a
 * property of the name, the property of {@code td}.
 */
public final class AspectNode extends ExpressionNode {
    private final Identifier name;
    private final Identifier word;

    @SuppressWarnings("FieldMayBeFinal")
    @Child
    private ExpressionNode owner;

    /** The aspect {@code word} of {@code owner.name}. */
    public AspectNode(Span span, ExpressionNode owner, Identifier name, Identifier word) {
        super(span);
        this.owner = owner;
        this.name = name;
        this.word = word;
    }

    @Override
    public Object execute(VirtualFrame frame) {
        Object target = owner.execute(frame);
        Object value = MemberNode.of(this, target, name);
        boolean ofOwner = !(value instanceof Described)
                && target instanceof Described described
                && Members.property(described.api(), word.text()).isPresent();
        return MemberNode.of(this, ofOwner ? target : value, word);
    }
}
