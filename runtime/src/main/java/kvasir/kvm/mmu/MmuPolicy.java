package kvasir.kvm.mmu;

import java.util.Optional;
import kvasir.kvm.KernelVersion;

/**
 * What differs between kernels in the fault path.
 *
 * @param kernel the release, for behaviour that has no name of its own
 * @param invalidSlotRetries a prefetch that meets a slot being deleted or moved retries (before 6.18); otherwise EAGAIN
 * @param spuriousNeedsLeaf a prefetch is spurious only if the entry at the goal level is a leaf (6.16)
 * @param broken a rule that is not kept; no kernel has one
 */
public record MmuPolicy(
        KernelVersion kernel, boolean invalidSlotRetries, boolean spuriousNeedsLeaf, Optional<MmuRule> broken) {
    /** What the release does by itself. */
    public static MmuPolicy of(KernelVersion kernel) {
        return new MmuPolicy(kernel, !kernel.atLeast(6, 18), kernel.atLeast(6, 16), Optional.empty());
    }

    /** Whether a rule is kept. */
    boolean keeps(MmuRule rule) {
        return broken.isEmpty() || broken.get() != rule;
    }
}
