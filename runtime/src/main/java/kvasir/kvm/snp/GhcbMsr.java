package kvasir.kvm.snp;

import java.util.Optional;
import kvasir.metal.snp.SnpProcessor;

/** The GHCB MSR protocol as KVM answers it to an SNP guest (sev.c, sev_handle_vmgexit_msr_protocol). */
public final class GhcbMsr {
    /** The guest goes on after an AP reset hold: a SIPI arrived. */
    static final long AP_RESET_HOLD_RESPONSE = 1L << 12 | 0x007;

    /** What a vCPU in AP reset hold would read, were it woken by anything else. */
    static final long AP_RESET_HOLD_NO_SIPI = 0x007;

    private static final long FEATURES = 0x3; // SNP, AP creation
    private static final long NO_FRAME = 0xf_ffff_ffff_ffffL;
    private static final long PSC_ERROR = 1L << 63 | 0x015;

    private GhcbMsr() {}

    /** The value after reset: versions 1 to {@code version} of the protocol, position of the C-bit. */
    public static long sevInformation(int version) {
        return (long) version << 48 | 1L << 32 | (long) SnpProcessor.ENCRYPTION_BIT << 24 | 0x001;
    }

    /** What KVM does with a request. */
    public sealed interface Answer {
        /** The guest goes on and reads this from the MSR. */
        record Value(long msr) implements Answer {}

        /** CPUID of this leaf, sub-leaf 0; {@link GhcbMsr#cpuid} makes the answer. */
        record Cpuid(int leaf, int register) implements Answer {}

        /** The GHCB is at this guest frame from now on; the MSR echoes it. */
        record Registered(long gfn, long msr) implements Answer {}

        /** KVM_EXIT_HYPERCALL, KVM_HC_MAP_GPA_RANGE of one page; then {@link GhcbMsr#pageStateChanged}. */
        record MapGpaRange(long gpa, boolean isPrivate) implements Answer {}

        /** The vCPU waits for a SIPI. */
        record ApResetHold() implements Answer {}

        /** KVM_EXIT_SYSTEM_EVENT, SEV_TERM. */
        record Terminate(int reasonSet, int reasonCode) implements Answer {}
    }

    /**
     * @param msr what the guest wrote before VMGEXIT, low 12 bits not zero
     * @param version of the protocol that the VM offers
     * @param hypercallExits whether user space enabled KVM_HC_MAP_GPA_RANGE exits
     * @return empty for a function that KVM does not know: the MSR stays as it is
     */
    public static Optional<Answer> handle(long msr, boolean hypercallExits, int version) {
        long frame = msr >>> 12;
        return switch ((int) msr & 0xfff) {
            case 0x002 -> Optional.of(new Answer.Value(sevInformation(version)));
            case 0x004 -> Optional.of(new Answer.Cpuid((int) (msr >>> 32), (int) (msr >>> 30) & 3));
            case 0x006 -> Optional.of(new Answer.ApResetHold());
            case 0x010 -> Optional.of(new Answer.Value(NO_FRAME << 12 | 0x011));
            case 0x012 -> Optional.of(new Answer.Registered(frame, frame << 12 | 0x013));
            case 0x014 -> Optional.of(pageStateChange(msr, hypercallExits));
            case 0x080 -> Optional.of(new Answer.Value(FEATURES << 12 | 0x081));
            case 0x100 -> Optional.of(new Answer.Terminate((int) (msr >>> 12) & 0xf, (int) (msr >>> 16) & 0xff));
            default -> Optional.empty();
        };
    }

    private static Answer pageStateChange(long msr, boolean hypercallExits) {
        int operation = (int) (msr >>> 52) & 0xf;
        if ((operation != 1 && operation != 2) || !hypercallExits) {
            return new Answer.Value(PSC_ERROR);
        }
        return new Answer.MapGpaRange(msr & 0x000f_ffff_ffff_f000L, operation == 1);
    }

    /** The MSR after CPUID. */
    public static long cpuid(Answer.Cpuid request, int value) {
        return Integer.toUnsignedLong(value) << 32 | (long) request.register() << 30 | 0x005;
    }

    /** The MSR after user space answered {@link Answer.MapGpaRange} with {@code ret}. */
    public static long pageStateChanged(long ret) {
        return ret == 0 ? 0x015 : PSC_ERROR;
    }
}
