package kvasir.kvm.snp;

import java.util.Optional;
import java.util.function.Predicate;

/**
 * A non-automatic exit as the guest tells it in SW_EXITCODE (GHCB specification, "NAE events"), and what the guest must have
 * filled in for it (sev.c, sev_es_validate_vmgexit).
 */
@SuppressWarnings("ImmutableEnumChecker") // the predicates keep nothing that changes
enum NaeEvent {
    DR7_READ(0x27),
    DR7_WRITE(0x37, Ghcb.RAX),
    RDTSC(0x6e),
    RDPMC(0x6f, Ghcb.RCX),
    CPUID(
            0x72,
            g -> g.valid(Ghcb.RAX)
                    && g.valid(Ghcb.RCX)
                    && ((int) g.rax() != NaeEvent.XSAVE_LEAF || g.valid(Ghcb.XCR0))),
    INVD(0x76),
    IOIO(0x7b, g -> {
        boolean in = (g.exitInfo1() & 1) != 0;
        boolean string = (g.exitInfo1() & 4) != 0;
        return string ? g.valid(Ghcb.SW_SCRATCH) : in || g.valid(Ghcb.RAX);
    }),
    MSR(0x7c, g -> g.valid(Ghcb.RCX) && (g.exitInfo1() == 0 || g.valid(Ghcb.RAX) && g.valid(Ghcb.RDX))),
    VMMCALL(0x81, Ghcb.RAX, Ghcb.CPL),
    RDTSCP(0x87),
    WBINVD(0x89),
    MONITOR(0x8a, Ghcb.RAX, Ghcb.RCX, Ghcb.RDX),
    MWAIT(0x8b, Ghcb.RAX, Ghcb.RCX),
    MMIO_READ(0x8000_0001, Ghcb.SW_SCRATCH),
    MMIO_WRITE(0x8000_0002, Ghcb.SW_SCRATCH),
    NMI_COMPLETE(0x8000_0003),
    AP_RESET_HOLD(0x8000_0004),
    AP_JUMP_TABLE(0x8000_0005),
    PAGE_STATE_CHANGE(0x8000_0010, Ghcb.SW_SCRATCH),
    GUEST_REQUEST(0x8000_0011, NaeEvent::twoPages),
    EXTENDED_GUEST_REQUEST(0x8000_0012, g -> twoPages(g) && g.valid(Ghcb.RAX) && g.valid(Ghcb.RBX)),
    AP_CREATION(0x8000_0013, g -> (int) g.exitInfo1() == NaeEvent.AP_DESTROY || g.valid(Ghcb.RAX)),
    HYPERVISOR_FEATURES(0x8000_fffd),
    TERMINATION(0x8000_fffe),
    UNSUPPORTED_EVENT(0x8000_ffff);

    /** Operation of AP creation that takes the VMSA away. */
    static final int AP_DESTROY = 2;

    private static final int XSAVE_LEAF = 0xd;

    private final int code;
    private final Predicate<Ghcb> complete;

    NaeEvent(int code, int... fields) {
        this(code, g -> {
            for (int field : fields) {
                if (!g.valid(field)) {
                    return false;
                }
            }
            return true;
        });
    }

    NaeEvent(int code, Predicate<Ghcb> complete) {
        this.code = code;
        this.complete = complete;
    }

    /** The event with this SW_EXITCODE, if KVM knows it. */
    static Optional<NaeEvent> of(long exitCode) {
        for (NaeEvent event : values()) {
            if (Integer.toUnsignedLong(event.code) == exitCode) {
                return Optional.of(event);
            }
        }
        return Optional.empty();
    }

    /** Whether the guest filled in what the event needs. */
    boolean complete(Ghcb ghcb) {
        return complete.test(ghcb);
    }

    private static boolean twoPages(Ghcb ghcb) {
        return ((ghcb.exitInfo1() | ghcb.exitInfo2()) & 4095) == 0 && ghcb.exitInfo1() != ghcb.exitInfo2();
    }
}
