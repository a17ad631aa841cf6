package kvasir.kvm.mmu;

/** Kinds of root a walk asks for (enum kvm_tdp_mmu_root_types); a walk without {@link #INVALID} skips invalid roots. */
final class RootTypes {
    static final int INVALID = 1;
    static final int DIRECT = 2;
    static final int MIRROR = 4;
    static final int VALID = DIRECT | MIRROR;

    private RootTypes() {}

    static boolean match(Root root, int types) {
        if ((types & INVALID) == 0 && root.role.invalid()) {
            return false;
        }
        return (types & (root.mirror() ? MIRROR : DIRECT)) != 0;
    }
}
