package kvasir.metal.tdx;

import kvasir.event.Event;
import kvasir.event.Topic;

/**
 * A SEAMCALL or TDCALL ended.
 *
 * @param leaf name of the leaf, {@code TDH.MEM.PAGE.ADD}; empty if the number has none
 * @param lp the logical processor it ran on
 * @param in registers before
 * @param out registers after
 * @param topic the S-EPT range or host page it was about
 */
public record LeafDone(String leaf, int lp, SeamcallRegs in, SeamcallRegs out, Topic topic) implements Event {
    @Override
    public String describe() {
        String name = leaf.isEmpty() ? "leaf " + (in.rax() & 0xffff) : leaf;
        return "lp%d %s rcx=0x%x rdx=0x%x r8=0x%x r9=0x%x -> %s"
                .formatted(lp, name, in.rcx(), in.rdx(), in.r8(), in.r9(), out);
    }
}
