package kvasir.kvm.snp;

/**
 * The payload of KVM_SEV_SNP_LAUNCH_UPDATE, read and written back.
 *
 * @param gfnStart first gfn
 * @param uaddr user address of the content; not read for ZERO
 * @param len bytes left
 * @param type 1 normal, 3 zero, 4 unmeasured, 5 secrets, 6 CPUID
 * @param flags must be 0
 */
public record LaunchUpdate(long gfnStart, long uaddr, long len, int type, int flags) {
    private static final int ZERO = 3;

    /** What is left after {@code pages} pages. */
    LaunchUpdate advanced(long pages) {
        return new LaunchUpdate(
                gfnStart + pages, type == ZERO ? uaddr : uaddr + (pages << 12), len - (pages << 12), type, flags);
    }
}
