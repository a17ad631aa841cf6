package kvasir.kvm.mmu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.kvm.GfnRange;
import kvasir.kvm.HostConfig;
import kvasir.kvm.KernelLock;
import kvasir.kvm.KernelLock.Mode;
import kvasir.kvm.Memslot;
import kvasir.kvm.Mmu;
import kvasir.kvm.Requests;
import kvasir.kvm.Seam;
import kvasir.kvm.Vcpu;
import kvasir.kvm.VcpuMmu;
import kvasir.kvm.Vm;
import kvasir.kvm.VmType;
import kvasir.metal.memory.PhysicalMemory;

/**
 * The TDP MMU of one VM (tdp_mmu.c): its roots, and the only places where an SPTE gets another value. What is done
 * with them is in {@link VcpuTdpMmu}, {@link Zapper}, {@link DirtyTracking}, {@link HugePages}, {@link NxHugePages}.
 */
public final class TdpMmu implements Mmu {
    final Vm vm;
    final HostConfig host;
    final PhysicalMemory memory;
    final MmuPolicy policy;
    final TablePages tables;
    final MmuStats stats = new MmuStats();
    final KernelLock pagesLock;
    final NxHugePages nx;
    final WriteTracking writeTracking;
    final LeafRuns leafRuns;
    private final Zapper zapper;
    private final DirtyTracking dirty;
    private final HugePages huge;
    private final List<VcpuTdpMmu> vcpus = new ArrayList<>();
    private final String rootsCell;
    private List<Root> roots = new ArrayList<>();
    private Optional<SpteFormat> format = Optional.empty();
    private int validGeneration;

    /** @param policy what differs between kernels */
    public TdpMmu(Vm vm, MmuPolicy policy) {
        this.vm = vm;
        this.policy = policy;
        host = vm.kvm().host();
        memory = vm.kvm().memory();
        rootsCell = vm.name() + ".tdp_mmu_roots";
        tables = new TablePages(vm.name(), memory, vm.kvm().pages(), vm.seams());
        pagesLock = new KernelLock(vm.name() + ".tdp_mmu_pages_lock", vm.seams(), vm.events());
        leafRuns = new LeafRuns(this);
        zapper = new Zapper(this);
        huge = new HugePages(this);
        dirty = new DirtyTracking(this, huge);
        nx = new NxHugePages(this);
        writeTracking = new WriteTracking(this, dirty);
    }

    /** The entry format: what the hardware and the VM type make of it. Fixed once the first root exists. */
    public SpteFormat format() {
        if (format.isEmpty()) {
            format = Optional.of(chooseFormat());
        }
        return format.get();
    }

    private SpteFormat chooseFormat() {
        if (host.npt()) {
            SpteFormat npt = SpteFormat.npt(host.maxPhyAddr());
            return host.cBit() == 0 ? npt : npt.withMemoryEncryption(host.maxPhyAddr(), host.cBit(), host.sme());
        }
        boolean ignorePat = vm.type() != VmType.TDX && vm.hasQuirk(Vm.QUIRK_IGNORE_GUEST_PAT);
        SpteFormat plain = SpteFormat.ept(host.adBits(), false, ignorePat);
        SpteFormat ept = host.l1tf() ? plain.withL1tf(host.maxPhyAddr()) : plain;
        return ept.withMmioValue(vm.vendor().mmioValue(ept.mmioValue()));
    }

    /** Page and fault counters. */
    public MmuStats stats() {
        return stats;
    }

    /** Page-table pages in use, roots included. */
    public long tablePages() {
        return tables.tables();
    }

    /** The NX huge page mitigation's list and worker. */
    public NxHugePages nxHugePages() {
        return nx;
    }

    /** External write tracking (kvm_write_track_add_gfn). */
    public WriteTracking writeTracking() {
        return writeTracking;
    }

    @Override
    public boolean externallyTracked() {
        return writeTracking.external();
    }

    /** The direct tables of an address space: the newest root that is valid, if there is one. */
    public TdpTable table(int addressSpace) {
        PageRole any = PageRole.tdpRoot(4, addressSpace == 1, false, format().adDisabled());
        return new TdpTable(this, () -> newest(RootTypes.DIRECT, addressSpace), space(any));
    }

    /** The mirror of the S-EPT; only a TDX VM has one. */
    public TdpTable mirror() {
        return new TdpTable(this, () -> newest(RootTypes.MIRROR, 0), vm.name() + ".mirror");
    }

    /** The pfn of the mirror's leaf for {@code gpa}, -1 if there is none (kvm_tdp_mmu_get_walk_mirror_pfn). */
    public long mirrorPfn(long gpa) {
        Root root = newest(RootTypes.MIRROR, 0);
        if (!root.exists()) {
            return -1;
        }
        var at = new TdpIterator(memory);
        at.start(root, Level.PG_4K, gpa >>> 12);
        while (Spte.isPresentTable(at.oldSpte, at.level)) {
            at.next();
        }
        return Spte.isPresentLeaf(at.oldSpte, at.level) ? Spte.pfn(at.oldSpte) : -1;
    }

    /** Shows every entry that is not empty, in all trees, invalid ones too. */
    public void visitEntries(EntryVisitor visitor) {
        visitEntries(0, Long.MAX_VALUE, visitor);
    }

    /** Shows every entry that is not empty and covers a gfn of {@code [start, end)}, in all trees, tables first. */
    public void visitEntries(long start, long end, EntryVisitor visitor) {
        for (Root root : roots) {
            var tree = new EntryVisitor.Tree(root.space, root.role.addressSpace(), root.mirror(), root.role.invalid());
            var iterator = new TdpIterator(memory);
            for (iterator.start(root, Level.PG_4K, start); iterator.valid && iterator.gfn < end; iterator.next()) {
                if (iterator.oldSpte != Spte.EMPTY) {
                    visitor.visit(tree, iterator.gfn, iterator.level, iterator.tablePfn(), iterator.oldSpte);
                }
            }
        }
    }

    /** Whether a table page was unlinked and waits for its readers before it is given back. */
    public boolean isFreed(long table) {
        return tables.awaitsGracePeriod(table);
    }

    /** Whether a root's references are at least those of the vCPUs that have it loaded, and the MMU's own. */
    public boolean rootReferencesAreEnough() {
        for (Root root : roots) {
            long loaded = vcpus.stream()
                    .filter(vcpu -> vcpu.root() == root || vcpu.mirrorRoot() == root)
                    .count();
            if (root.references < loaded + (root.role.invalid() && !root.scheduledForZap ? 0 : 1)) {
                return false;
            }
        }
        return true;
    }

    private long rootsFingerprint() {
        long hash = validGeneration;
        for (Root root : roots) {
            hash = ((hash * 31 + root.pfn) * 31 + root.role.word()) * 31 + (root.scheduledForZap ? 1 : 0);
        }
        return hash;
    }

    /** The task goes by which roots there are, and by whether they are valid. */
    void goesByRoots() {
        if (vm.seams().footprint().listening()) {
            vm.seams().footprint().read(rootsCell, rootsFingerprint());
        }
    }

    /** Changes the list of roots, or a role. */
    void changingRoots(Runnable change) {
        if (!vm.seams().footprint().listening()) {
            change.run();
            return;
        }
        long before = rootsFingerprint();
        goesByRoots();
        change.run();
        vm.seams().footprint().wrote(rootsCell, before, rootsFingerprint());
    }

    private Root newest(int types, int addressSpace) {
        goesByRoots();
        for (Root root : roots) {
            if (RootTypes.match(root, types) && root.role.addressSpace() == addressSpace) {
                return root;
            }
        }
        return Root.NONE;
    }

    /** mmu_valid_gen, 0 or 1: flips with every fast zap. */
    public int validGeneration() {
        return validGeneration;
    }

    @Override
    public boolean keeps(MmuRule rule) {
        return policy.keeps(rule);
    }

    @Override
    public VcpuMmu createVcpu(Vcpu vcpu) {
        var mmu = new VcpuTdpMmu(this, vcpu);
        vcpus.add(mmu);
        return mmu;
    }

    @Override
    public boolean unmap(GfnRange range) {
        return zapper.unmap(range);
    }

    @Override
    public void zapAllFast() {
        vm.mmuLock().lock(Mode.WRITE);
        changingRoots(() -> validGeneration ^= 1);
        invalidateRoots(RootTypes.DIRECT);
        vm.makeAllVcpusRequest(Requests.FREE_OBSOLETE_ROOTS);
        vm.mmuLock().unlock(Mode.WRITE);
        zapper.zapInvalidatedRoots(Mode.READ);
    }

    @Override
    public void zapAll() {
        vm.mmuLock().lock(Mode.WRITE);
        zapper.zapAll();
        vm.mmuLock().unlock(Mode.WRITE);
    }

    /** All but entries, references and counters, as a number ({@link kvasir.kvm.Kvm#fingerprint}). */
    @Override
    public long fingerprint() {
        return nx.fingerprint() * 31 + writeTracking.fingerprint();
    }

    /** kvm_mmu_slot_apply_flags. */
    @Override
    public void flagsChanged(Memslot before, Memslot after) {
        dirty.flagsChanged(before, after);
    }

    @Override
    public void protectMasked(Memslot slot, long offset, long mask) {
        dirty.protectMasked(slot, offset, mask);
    }

    @Override
    public boolean age(GfnRange range, boolean clear) {
        return new Aging(this).age(range, clear);
    }

    // ---- roots

    /** Roots whose tables still exist, the newest first. */
    List<Root> roots() {
        goesByRoots();
        return roots;
    }

    List<VcpuTdpMmu> vcpus() {
        return vcpus;
    }

    /**
     * The root for a role: the valid one that exists, or a new one (kvm_tdp_mmu_alloc_root). The caller holds mmu_lock
     * and gets a reference.
     *
     * @return {@link Root#NONE} if the host has no memory left
     */
    Root obtainRoot(PageRole role) {
        pagesLock.lock();
        for (Root root : roots()) {
            if (root.role.equals(role) && root.references > 0) {
                keep(root);
                pagesLock.unlock();
                return root;
            }
        }
        long pfn = tables.allocate();
        if (pfn < 0) {
            pagesLock.unlock();
            return Root.NONE;
        }
        long bits = role.mirror() ? 0 : vm.vendor().gfnDirectBits();
        var root = new Root(pfn, role, space(role), bits);
        changingRoots(() -> roots.addFirst(root));
        pagesLock.unlock();
        emitRoot(root, "allocated");
        return root;
    }

    /** The name of the trees with this role in topics. */
    private String space(PageRole role) {
        String kind = role.mirror() ? "mirror" : host.npt() ? "npt" : "ept";
        return vm.name() + (role.addressSpace() == 1 ? ".smm." : ".") + kind;
    }

    /** Takes a reference more (kvm_tdp_mmu_get_root). */
    void keep(Root root) {
        if (vm.seams().footprint().listening()) {
            vm.seams().footprint().added(root.referencesCell(), root.references, 1);
        }
        root.references++;
    }

    /** Whether anybody still has a reference. */
    boolean alive(Root root) {
        if (vm.seams().footprint().listening()) {
            vm.seams().footprint().read(root.referencesCell(), root.references);
        }
        return root.references > 0;
    }

    /** Gives a reference back (kvm_tdp_mmu_put_root). */
    void putRoot(Root root) {
        if (vm.seams().footprint().listening()) {
            vm.seams().footprint().read(root.referencesCell(), root.references);
            vm.seams().footprint().added(root.referencesCell(), root.references, -1);
        }
        if (--root.references > 0) {
            return;
        }
        goesByRoots();
        if (!root.role.invalid()) {
            vm.bug("the last reference to a valid root is gone");
        }
        pagesLock.lock();
        changingRoots(() -> roots.remove(root));
        pagesLock.unlock();
        emitRoot(root, "freed");
        tables.freeAfterGracePeriod(root.pfn);
    }

    /** kvm_tdp_mmu_invalidate_roots: nobody may load them any more, and they will be zapped. */
    void invalidateRoots(int types) {
        for (Root root : roots()) {
            if (RootTypes.match(root, types) && !root.role.invalid()) {
                changingRoots(() -> {
                    root.role = root.role.asInvalid();
                    root.scheduledForZap = true;
                });
                emitRoot(root, "invalidated");
            }
        }
    }

    /** What a zap's filter means for this VM (kvm_gfn_range_filter_to_root_types). */
    int rootTypes(GfnRange.Filter filter) {
        if (!vm.type().hasMirror()) {
            return RootTypes.DIRECT;
        }
        return switch (filter) {
            case SHARED -> RootTypes.DIRECT;
            case PRIVATE -> RootTypes.MIRROR;
            case BOTH -> RootTypes.VALID;
        };
    }

    private void emitRoot(Root root, String what) {
        if (vm.events().listening()) {
            vm.events().emit(new MmuEvent.RootChanged(root.space, root.pfn << 12, root.role, what));
        }
    }

    /** One past the highest gfn a walk visits (tdp_mmu_max_gfn_exclusive). */
    long maxGfnExclusive() {
        return host.maxGfn() + 1;
    }

    // ---- entries

    /** Whether nobody can tell entries of the tree that change at once from entries that change one after the other. */
    boolean unobserved(Root root) {
        return !root.mirror() && !vm.events().listening() && vm.seams().sequential();
    }

    /**
     * Gives the entry a new value if it still has the old one, under mmu_lock held for reading
     * (tdp_mmu_set_spte_atomic).
     *
     * @return false if somebody else changed or owns it; the iterator then has the current value
     */
    boolean setSpteAtomic(TdpIterator iterator, long newSpte) {
        if (Spte.isFrozen(iterator.oldSpte)) {
            return false;
        }
        vm.seams().at(Seam.SPTE, iterator);
        if (iterator.root.mirror() && !Spte.isFrozen(newSpte)) {
            if (!setExternalPresent(iterator, newSpte)) {
                return false;
            }
        } else if (!exchange(iterator, newSpte)) {
            iterator.reread();
            return false;
        } else {
            emitSpte(iterator.root, iterator.gfn, iterator.level, iterator.oldSpte, newSpte);
        }
        changed(iterator.root, iterator.gfn, iterator.oldSpte, newSpte, iterator.level, true);
        return true;
    }

    private boolean exchange(TdpIterator iterator, long newSpte) {
        if (!policy.keeps(MmuRule.SPTE_CMPXCHG)) {
            memory.write64(iterator.sptep, newSpte);
            return true;
        }
        return memory.compareAndSet64(iterator.sptep, iterator.oldSpte, newSpte);
    }

    /**
     * Sets a mirror entry with the vendor's help: FROZEN while the vendor works, then the new value, or the old one if
     * the vendor refuses (set_external_spte_present).
     */
    private boolean setExternalPresent(TdpIterator iterator, long newSpte) {
        if (!Spte.isShadowPresent(newSpte) || Spte.isShadowPresent(iterator.oldSpte)) {
            vm.bug("a present mirror entry may only be made under mmu_lock held for writing, from a non-present one");
            return false;
        }
        if (!memory.compareAndSet64(iterator.sptep, iterator.oldSpte, Spte.FROZEN)) {
            iterator.reread();
            return false;
        }
        emitSpte(iterator.root, iterator.gfn, iterator.level, iterator.oldSpte, Spte.FROZEN);
        int result = Spte.isLast(newSpte, iterator.level)
                ? vm.vendor().setExternalSpte(iterator.gfn, iterator.level, newSpte)
                : vm.vendor().linkExternalSpt(iterator.gfn, iterator.level, tables.external(Spte.pfn(newSpte)));
        vm.seams().at(Seam.SPTE, iterator);
        long value = result == 0 ? newSpte : iterator.oldSpte;
        memory.write64(iterator.sptep, value);
        emitSpte(iterator.root, iterator.gfn, iterator.level, Spte.FROZEN, value);
        return result == 0;
    }

    /** Gives the entry a new value under mmu_lock held for writing (tdp_mmu_iter_set_spte). */
    void setSpte(TdpIterator iterator, long newSpte) {
        vm.seams().at(Seam.SPTE, iterator);
        iterator.oldSpte =
                writeSpte(iterator.root, iterator.gfn, iterator.level, iterator.sptep, iterator.oldSpte, newSpte);
        changed(iterator.root, iterator.gfn, iterator.oldSpte, newSpte, iterator.level, false);
        if (iterator.root.mirror() && !Spte.isShadowPresent(newSpte)) {
            removeExternal(iterator.gfn, iterator.oldSpte, iterator.level);
        }
    }

    /** Clears bits of a leaf that hardware may be changing (tdp_mmu_clear_spte_bits); page contents stay as they are. */
    void clearSpteBits(TdpIterator iterator, long bits) {
        vm.seams().at(Seam.SPTE, iterator);
        long old;
        do {
            old = memory.read64(iterator.sptep);
        } while (!memory.compareAndSet64(iterator.sptep, old, old & ~bits));
        emitSpte(iterator.root, iterator.gfn, iterator.level, old, old & ~bits);
        iterator.oldSpte = old & ~bits;
    }

    /**
     * kvm_tdp_mmu_write_spte: an entry that others may change is exchanged, another one just stored.
     *
     * @return what the entry held
     */
    private long writeSpte(Root root, long gfn, int level, long sptep, long oldSpte, long newSpte) {
        long old = oldSpte;
        if (Spte.isPresentLeaf(oldSpte, level) && format().isVolatileLeaf(oldSpte)) {
            do {
                old = memory.read64(sptep);
            } while (!memory.compareAndSet64(sptep, old, newSpte));
        } else {
            memory.write64(sptep, newSpte);
        }
        emitSpte(root, gfn, level, old, newSpte);
        return old;
    }

    private void removeExternal(long gfn, long oldSpte, int level) {
        if (Spte.isPresentLeaf(oldSpte, level)) {
            vm.vendor().removeExternalSpte(gfn, level, oldSpte);
        }
    }

    void emitSpte(Root root, long gfn, int level, long oldSpte, long newSpte) {
        if (vm.events().listening()) {
            vm.events().emit(new MmuEvent.SpteChanged(root.space, gfn, level, oldSpte, newSpte));
        }
    }

    /**
     * The bookkeeping after an entry changed (handle_changed_spte).
     *
     * @param shared mmu_lock is held for reading only
     */
    private void changed(Root root, long gfn, long oldSpte, long newSpte, int level, boolean shared) {
        boolean wasPresent = Spte.isShadowPresent(oldSpte);
        boolean isPresent = Spte.isShadowPresent(newSpte);
        boolean wasLeaf = wasPresent && Spte.isLast(oldSpte, level);
        boolean isLeaf = isPresent && Spte.isLast(newSpte, level);
        if (wasLeaf && isLeaf && Spte.pfn(oldSpte) != Spte.pfn(newSpte)) {
            throw new IllegalStateException(
                    "host BUG(): present leaf %s[0x%x] changes its pfn, 0x%016x -> 0x%016x (tdp_mmu.c, handle_changed_spte)"
                            .formatted(root.space, gfn << 12, oldSpte, newSpte));
        }
        if (wasLeaf != isLeaf) {
            stats.addPages(level, isLeaf ? 1 : -1);
        }
        if (wasPresent && !wasLeaf && (isLeaf || !isPresent)) {
            removeTable(root, Spte.pfn(oldSpte), gfn, level - 1, shared);
        }
    }

    /**
     * Tears down a table that was just unlinked (handle_removed_pt): every entry is frozen for good, what it held is
     * removed in turn, and the page is freed when nobody can be reading it any more.
     */
    private void removeTable(Root root, long table, long baseGfn, int level, boolean shared) {
        nx.unlink(table);
        if (!leafRuns.freeze(root, table, level, shared)) {
            removeEntries(root, table, baseGfn, level, shared);
        }
        if (root.mirror()) {
            vm.vendor().freeExternalSpt(baseGfn, level, tables.external(table));
            tables.forgetExternal(table);
        }
        tables.freeAfterGracePeriod(table);
    }

    private void removeEntries(Root root, long table, long baseGfn, int level, boolean shared) {
        for (int i = 0; i < Level.ENTRIES; i++) {
            long sptep = (table << 12) + 8L * i;
            long gfn = baseGfn + i * Level.pages(level);
            long old = memory.read64(sptep);
            if (shared) {
                for (int spins = 0; Spte.isFrozen(old) || !memory.compareAndSet64(sptep, old, Spte.FROZEN); spins++) {
                    vm.seams().spin(this, spins);
                    old = memory.read64(sptep);
                }
                emitSpte(root, gfn, level, old, Spte.FROZEN);
            } else {
                if (!Spte.isShadowPresent(old)) {
                    continue;
                }
                old = writeSpte(root, gfn, level, sptep, old, Spte.FROZEN);
            }
            changed(root, gfn, old, Spte.FROZEN, level, shared);
            if (root.mirror()) {
                removeExternal(gfn, old, level);
            }
        }
    }

    /** Points a non-present or huge entry to a table (tdp_mmu_link_sp). */
    boolean linkTable(TdpIterator iterator, long table, boolean shared) {
        long spte = format().nonLeaf(table);
        if (shared) {
            return setSpteAtomic(iterator, spte);
        }
        setSpte(iterator, spte);
        return true;
    }

    /**
     * Lets others have mmu_lock if they wait for it and the walk has advanced (tdp_mmu_iter_cond_resched). The walk
     * holds RCU.
     *
     * @return true if it yielded: the caller goes to the next step without looking at the entry
     */
    boolean condResched(TdpIterator iterator, boolean flush, Mode mode) {
        if (!vm.mmuLock().contended() || !iterator.mayYield()) {
            return false;
        }
        if (flush) {
            vm.flushRemoteTlbs(0, maxGfnExclusive());
        }
        tables.rcuReadUnlock();
        vm.mmuLock().unlock(mode);
        vm.mmuLock().lock(mode);
        tables.rcuReadLock();
        if (policy.keeps(MmuRule.YIELD_RESTARTS)) {
            iterator.markYielded();
        }
        return true;
    }

    /** Whether a huge page fetched from must be mapped without X (is_nx_huge_page_enabled). */
    boolean nxHugePagesEnabled() {
        return vm.kvm().nxHugePages().on() && !vm.nxHugePagesDisabled();
    }

    /** Highest level the processor can map (max_huge_page_level). */
    int maxHugePageLevel() {
        return host.onegigPages() ? Level.PG_1G : Level.PG_2M;
    }

    @Override
    public Runnable checkpoint() {
        Map<Root, Object[]> saved = new LinkedHashMap<>();
        for (Root root : roots) {
            saved.put(root, new Object[] {root.role, root.references, root.scheduledForZap});
        }
        int savedGeneration = validGeneration;
        var parts = List.of(tables.checkpoint(), stats.checkpoint(), nx.checkpoint(), writeTracking.checkpoint());
        return () -> {
            roots = new ArrayList<>(saved.keySet());
            saved.forEach((root, fields) -> {
                root.role = (PageRole) fields[0];
                root.references = (Integer) fields[1];
                root.scheduledForZap = (Boolean) fields[2];
            });
            validGeneration = savedGeneration;
            parts.forEach(Runnable::run);
        };
    }
}
