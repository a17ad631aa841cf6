package kvasir.scripts.nodes;

import com.oracle.truffle.api.frame.VirtualFrame;
import com.oracle.truffle.api.instrumentation.GenerateWrapper;
import com.oracle.truffle.api.instrumentation.InstrumentableNode;
import com.oracle.truffle.api.instrumentation.ProbeNode;
import com.oracle.truffle.api.instrumentation.StandardTags;
import com.oracle.truffle.api.instrumentation.Tag;
import kvasir.grammar.Span;

/** Something that is done. Debuggers stop at statements. */
@GenerateWrapper
public abstract class StatementNode extends KvsNode implements InstrumentableNode {
    StatementNode(Span span) {
        super(span);
    }

    /** The one a wrapper stands for. */
    StatementNode(StatementNode wrapped) {
        super(wrapped.span());
    }

    /** Does it. */
    public abstract void execute(VirtualFrame frame);

    @Override
    public boolean isInstrumentable() {
        return true;
    }

    @Override
    public boolean hasTag(Class<? extends Tag> tag) {
        return tag == StandardTags.StatementTag.class;
    }

    @Override
    public WrapperNode createWrapper(ProbeNode probe) {
        return new StatementNodeWrapper(this, this, probe);
    }
}
