package kvasir.kvm.mmu;

/** Is shown every entry of every tree of a VM that is not empty. */
@FunctionalInterface
public interface EntryVisitor {
    /**
     * @param tree the root and what it is for
     * @param gfn first gfn the entry covers
     * @param level level of the table that holds the entry
     * @param table frame of that table
     * @param spte the entry
     */
    void visit(Tree tree, long gfn, int level, long table, long spte);

    /**
     * One tree.
     *
     * @param space name in topics
     * @param addressSpace 0 normal, 1 SMM
     * @param mirror KVM's copy of an external page table
     * @param invalid its root is waiting to be zapped
     */
    record Tree(String space, int addressSpace, boolean mirror, boolean invalid) {}
}
