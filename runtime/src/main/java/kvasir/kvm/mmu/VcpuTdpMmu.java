package kvasir.kvm.mmu;

import java.util.Optional;
import kvasir.kvm.Check;
import kvasir.kvm.Errno;
import kvasir.kvm.InvalidateState;
import kvasir.kvm.KernelLock.Mode;
import kvasir.kvm.Memslot;
import kvasir.kvm.Memslots;
import kvasir.kvm.Requests;
import kvasir.kvm.Seam;
import kvasir.kvm.Vcpu;
import kvasir.kvm.VcpuMmu;
import kvasir.kvm.VmType;
import kvasir.kvm.mm.Pfn;
import kvasir.registry.Described;

/** The MMU of one vCPU (struct kvm_mmu): which roots it has loaded, and the way of a fault (mmu.c). */
public final class VcpuTdpMmu implements VcpuMmu {
    private static final int EXIT_INTR = 10;
    private static final int APIC_ACCESS_PAGE_SLOT = 32764;
    private static final int FAST_ATTEMPTS = 5;
    private static final long MMIO_GENERATION = 0x7ffff;

    private final TdpMmu mmu;
    private final Vcpu vcpu;
    private final TdpMapper mapper;
    private final BulkPrefetch bulk;
    private final PageFault fault = new PageFault();
    private final TdpIterator iterator;
    private Optional<Check> refusal = Optional.empty();
    private Root root = Root.NONE;
    private Root mirrorRoot = Root.NONE;
    /** The gfn of the last MMIO access and the slots' generation then; gfn 0 is never remembered. */
    private long mmioGfn;

    private long mmioGeneration;

    VcpuTdpMmu(TdpMmu mmu, Vcpu vcpu) {
        this.mmu = mmu;
        this.vcpu = vcpu;
        mapper = new TdpMapper(mmu, vcpu);
        bulk = new BulkPrefetch(mmu, vcpu);
        iterator = new TdpIterator(mmu.memory);
    }

    // ---- roots

    /** kvm_mmu_reload, after the request to drop obsolete roots was serviced. */
    @Override
    public int reload() {
        if (vcpu.requests().check(Requests.FREE_OBSOLETE_ROOTS)) {
            freeObsoleteRoots();
        }
        return load();
    }

    /** Loads a root if none is loaded, obsolete or not (kvm_mmu_reload before 6.15). */
    @Override
    public int load() {
        if (!mmu.host.tdp()) {
            return 0;
        }
        PageRole role = role();
        mmu.goesByRoots();
        if (root.exists() && root.role.asInvalid().equals(role.asInvalid())) {
            return 0;
        }
        unload();
        mmu.vm.mmuLock().lock(Mode.READ);
        if (mmu.vm.type().hasMirror() && !mirrorRoot.exists()) {
            mirrorRoot = mmu.obtainRoot(role.asMirror());
        }
        if (!mmu.vm.type().hasMirror() || mirrorRoot.exists()) {
            root = mmu.obtainRoot(role);
        }
        mmu.vm.mmuLock().unlock(Mode.READ);
        vcpu.requests().make(Requests.TLB_FLUSH);
        return root.exists() ? 0 : RetPf.error(Errno.ENOMEM);
    }

    /** The role this vCPU's mode asks for. */
    private PageRole role() {
        return PageRole.tdpRoot(
                levels(), vcpu.addressSpace() == 1, false, mmu.format().adDisabled());
    }

    /**
     * kvm_mmu_get_tdp_level: five if the processor can and the guest's MAXPHYADDR needs it; a TD's is its GPAW, one more
     * than the number of its shared bit.
     */
    private int levels() {
        int width = mmu.vm.type().hasMirror()
                ? Long.numberOfTrailingZeros(mmu.vm.vendor().gfnDirectBits()) + 13
                : mmu.host.npt() ? mmu.host.maxPhyAddr() : vcpu.maxPhyAddr();
        return mmu.host.fiveLevels() && width > 48 ? 5 : 4;
    }

    private void freeObsoleteRoots() {
        mmu.goesByRoots();
        if (root.exists() && root.role.invalid()) {
            unload();
        }
    }

    private void unload() {
        if (root.exists()) {
            Root old = root;
            root = Root.NONE;
            mmu.putRoot(old);
        }
    }

    @Override
    public void destroy() {
        unload();
        if (mirrorRoot.exists()) {
            Root old = mirrorRoot;
            mirrorRoot = Root.NONE;
            mmu.putRoot(old);
        }
    }

    @Override
    public long rootPointer() {
        return mmu.format().pointer(root.pfn, root.level());
    }

    @Override
    public int rootLevels() {
        return root.level();
    }

    Root root() {
        return root;
    }

    Root mirrorRoot() {
        return mirrorRoot;
    }

    // ---- entry points

    /** kvm_mmu_page_fault. */
    @Override
    public int pageFault(long gpa, long errorCode) {
        if (!root.exists()) {
            return RetPf.RETRY;
        }
        mmu.stats.count(MmuStats.Counter.PF_TAKEN);
        long code = errorCode;
        if ((code & Pferr.RSVD) != 0) {
            if ((code & Pferr.PRIVATE_ACCESS) != 0) {
                return RetPf.error(Errno.EFAULT);
            }
            int result = mmioPageFault(gpa);
            if (result != RetPf.INVALID) {
                return counted(result);
            }
        } else if (mmu.vm.type() == VmType.SW_PROTECTED && mmu.vm.attributes().isPrivate(aliasFree(gpa >>> 12))) {
            code |= Pferr.PRIVATE_ACCESS;
        }
        return counted(doPageFault(gpa, code, false, Level.PG_1G));
    }

    private int counted(int result) {
        switch (result) {
            case RetPf.FIXED -> mmu.stats.count(MmuStats.Counter.PF_FIXED);
            case RetPf.EMULATE -> mmu.stats.count(MmuStats.Counter.PF_EMULATE);
            case RetPf.SPURIOUS -> mmu.stats.count(MmuStats.Counter.PF_SPURIOUS);
            default -> {}
        }
        return result;
    }

    /** The refusal of a pre-fault, remembered by its row; a negative errno. */
    private int refuse(Check check) {
        refusal = Optional.of(check);
        return RetPf.error(check.errno());
    }

    @Override
    public Optional<Check> refusal() {
        return refusal;
    }

    @Override
    public int tdpMapPage(long gpa, long errorCode, int maxLevel, boolean retries, boolean prefetch) {
        refusal = Optional.empty();
        if (!mmu.host.tdp() || vcpu.nestedTdp()) {
            return refuse(Check.PRE_FAULT_MMU);
        }
        for (int spins = 0; ; spins++) {
            if (vcpu.signalPending()) {
                return refusal.isPresent() ? RetPf.error(Errno.EINTR) : refuse(Check.PRE_FAULT_SIGNAL);
            }
            if (vcpu.requests().check(Requests.VM_DEAD)) {
                return RetPf.error(Errno.EIO);
            }
            int result = doPageFault(gpa, errorCode, prefetch, maxLevel);
            if (result != RetPf.RETRY || !retries) {
                return result;
            }
            mmu.vm.seams().spin(this, spins);
        }
    }

    @Override
    public long mapFollowing(long gpa, long pages, boolean prefetch) {
        if (pages <= 0
                || fault.isPrivate
                || fault.write
                || fault.exec
                || fault.goalLevel != Level.PG_4K
                || fault.gfn != (gpa >>> 12) - 1) {
            return 0;
        }
        return bulk.fill(root, fault.slot, gpa >>> 12, pages, prefetch);
    }

    @Override
    public int mappedLevel() {
        return fault.goalLevel;
    }

    private long aliasFree(long gfn) {
        return gfn & ~mmu.vm.vendor().gfnDirectBits();
    }

    /** kvm_mmu_do_page_fault. */
    private int doPageFault(long gpa, long errorCode, boolean prefetch, int maxLevel) {
        mmu.vm.seams().footprint().begins();
        int result = classifiedFault(gpa, errorCode, prefetch, maxLevel);
        // fault.gfn and what came in are the caller's
        mmu.vm.seams().footprint().ends(result * 8L + fault.goalLevel);
        return result;
    }

    private int classifiedFault(long gpa, long errorCode, boolean prefetch, int maxLevel) {
        long gfn = aliasFree(gpa >>> 12);
        Memslot slot = mmu.vm.memslots(vcpu.addressSpace()).lookup(gfn);
        fault.begin(gfn, errorCode, prefetch, maxLevel, mmu.nxHugePagesEnabled(), slot);
        int result = tdpPageFault();
        if (result == RetPf.EMULATE && fault.isPrivate) {
            memoryFault();
            result = RetPf.error(Errno.EFAULT);
        }
        if (mmu.vm.events().listening()) {
            mmu.vm
                    .events()
                    .emit(new MmuEvent.Faulted(
                            faultRoot().space,
                            gfn << 12 | gpa & 0xfff,
                            errorCode,
                            prefetch,
                            fault.goalLevel,
                            RetPf.name(result)));
        }
        return result;
    }

    private Root faultRoot() {
        return fault.isPrivate && mmu.vm.type().hasMirror() ? mirrorRoot : root;
    }

    /** kvm_tdp_mmu_page_fault. */
    private int tdpPageFault() {
        if (fault.present && fault.write && !fault.rsvd && mmu.writeTracking.tracks(fault.gfn)) {
            return RetPf.WRITE_PROTECTED;
        }
        int fast = fastPageFault();
        if (fast != RetPf.INVALID) {
            return fast;
        }
        int result = faultinPfn();
        if (result != RetPf.CONTINUE) {
            return result;
        }
        boolean locks = mmu.policy.keeps(MmuRule.FAULT_HOLDS_MMU_LOCK);
        boolean asksEarly = !mmu.policy.keeps(MmuRule.STALE_UNDER_LOCK);
        boolean wasStale = asksEarly && stale();
        if (locks) {
            mmu.vm.mmuLock().lock(Mode.READ);
        }
        result = (asksEarly ? wasStale : stale()) ? RetPf.RETRY : mapper.map(faultRoot(), fault);
        if (result == RetPf.error(Errno.ENOMEM)) {
            refusal = Optional.of(Check.PRE_FAULT_TABLES);
        }
        if (locks) {
            mmu.vm.mmuLock().unlock(Mode.READ);
        }
        return result;
    }

    /** is_page_fault_stale. */
    private boolean stale() {
        mmu.goesByRoots();
        return faultRoot().role.invalid() && mmu.keeps(MmuRule.STALE_ROOT) || fault.slot.exists() && invalidated();
    }

    /** mmu_invalidate_retry_gfn: what was looked up may have changed since. */
    private boolean invalidated() {
        InvalidateState state = mmu.vm.invalidate();
        if (!mmu.policy.keeps(MmuRule.STALE_RANGE)) {
            return state.seq() != fault.mmuSeq;
        }
        long snapshot = mmu.policy.keeps(MmuRule.STALE_SEQ) ? fault.mmuSeq : state.seq();
        return state.retry(snapshot, fault.gfn);
    }

    // ---- lookup

    /** kvm_mmu_faultin_pfn. */
    private int faultinPfn() {
        fault.mmuSeq = mmu.vm.invalidate().seq();
        boolean isPrivate =
                mmu.vm.type().hasPrivateMemory() && mmu.vm.attributes().isPrivate(fault.gfn);
        if (fault.isPrivate != isPrivate) {
            memoryFault();
            return refuse(Check.PRE_FAULT_ATTRIBUTE);
        }
        if (!fault.slot.exists()) {
            return noSlot();
        }
        if (fault.slot.invalid() && mmu.policy.keeps(MmuRule.INVALID_SLOT)) {
            return fault.prefetch && !mmu.policy.invalidSlotRetries()
                    ? refuse(Check.PRE_FAULT_INVALID_SLOT)
                    : RetPf.RETRY;
        }
        if (fault.slot.id() == APIC_ACCESS_PAGE_SLOT && vcpu.guestMode()) {
            fault.slot = Memslot.NONE;
            return noSlot();
        }
        if (mmu.vm.invalidate().retry(fault.mmuSeq, fault.gfn)) {
            return RetPf.RETRY;
        }
        int result = fault.isPrivate || fault.slot.gmemOnly() ? gmemPfn() : hostPfn();
        if (result == RetPf.CONTINUE && mmu.vm.invalidate().retry(fault.mmuSeq, fault.gfn)) {
            return RetPf.RETRY;
        }
        return result;
    }

    /** kvm_handle_noslot_fault. */
    private int noSlot() {
        if (fault.isPrivate) {
            memoryFault();
            return refuse(Check.PRE_FAULT_PRIVATE_NO_SLOT);
        }
        rememberMmio(fault.gfn);
        fault.pfn = Pfn.NOSLOT;
        fault.mapWritable = false;
        return mmu.format().mmioCaching() && fault.gfn <= mmu.host.maxGfn() ? RetPf.CONTINUE : RetPf.EMULATE;
    }

    /** kvm_mmu_faultin_pfn_gmem. */
    private int gmemPfn() {
        if (!fault.slot.hasGmem()) {
            memoryFault();
            return refuse(Check.PRE_FAULT_PRIVATE_NO_GMEM);
        }
        if (fault.slot.gmem().isEmpty()) {
            memoryFault();
            return refuse(Check.PRE_FAULT_GMEM_CLOSED);
        }
        long word = fault.slot.gmem().get().getPfn(fault.slot, fault.gfn);
        if (word < 0) {
            memoryFault();
            refusal = switch (Errno.of((int) word)) {
                case ENOMEM -> Optional.of(Check.PRE_FAULT_GMEM_MEMORY);
                case EHWPOISON -> Optional.of(Check.PRE_FAULT_GMEM_POISON);
                default -> Optional.empty();
            };
            return (int) word;
        }
        fault.pfn = Pfn.pfn(word);
        fault.mapWritable = Pfn.writable(word);
        fault.maxLevel = Math.min(Level.PG_4K, mmu.vm.vendor().gmemMaxMappingLevel(fault.pfn, fault.isPrivate));
        return RetPf.CONTINUE;
    }

    /** __kvm_mmu_faultin_pfn for memory of the VMM, and kvm_handle_error_pfn. */
    private int hostPfn() {
        if (fault.write && fault.slot.readonly()) {
            return RetPf.EMULATE;
        }
        mmu.vm.seams().at(Seam.USER_COPY, fault.slot);
        long word = mmu.vm.mm().gup(fault.slot.hva(fault.gfn), fault.write);
        if (!Pfn.isError(word)) {
            fault.pfn = Pfn.pfn(word);
            fault.mapWritable = Pfn.writable(word) && !fault.slot.readonly();
            return RetPf.CONTINUE;
        }
        if (word == Pfn.SIGPENDING) {
            vcpu.kvmRun().setExitReason(EXIT_INTR);
            return RetPf.error(Errno.EINTR);
        }
        if (word == Pfn.RO_FAULT) {
            return RetPf.EMULATE;
        }
        if (word == Pfn.HWPOISON) {
            vcpu.sendSignal(0);
            refusal = Optional.of(Check.PRE_FAULT_HOST_POISON);
            return RetPf.RETRY;
        }
        return refuse(Check.PRE_FAULT_HOST);
    }

    /** kvm_mmu_prepare_memory_fault_exit. */
    private void memoryFault() {
        vcpu.kvmRun().memoryFault(fault.gfn << 12, 4096, fault.isPrivate);
    }

    // ---- fast page fault

    /** page_fault_can_be_fast. */
    private boolean canBeFast() {
        if (fault.rsvd || fault.isPrivate && mmu.vm.type().hasMirror()) {
            return false;
        }
        if (mmu.vm.type().hasPrivateMemory()
                && fault.isPrivate != mmu.vm.attributes().isPrivate(fault.gfn)) {
            return false;
        }
        return fault.present ? fault.write : mmu.format().adDisabled();
    }

    /** fast_page_fault: gives W or RWX back without mmu_lock. D is left to hardware. */
    private int fastPageFault() {
        if (!canBeFast()) {
            return RetPf.INVALID;
        }
        int result = RetPf.INVALID;
        mmu.tables.rcuReadLock();
        for (int attempt = 0; attempt < FAST_ATTEMPTS && result == RetPf.INVALID; attempt++) {
            if (!walkTo(root, fault.gfn) || !Spte.isPresentLeaf(iterator.oldSpte, iterator.level)) {
                break;
            }
            if (fault.allowedBy(mmu.format(), iterator.oldSpte)) {
                result = RetPf.SPURIOUS;
                break;
            }
            long spte = fastFixed(iterator.oldSpte);
            if (spte == iterator.oldSpte || !fault.allowedBy(mmu.format(), spte)) {
                break;
            }
            mmu.vm.seams().at(Seam.SPTE, iterator);
            if (mmu.memory.compareAndSet64(iterator.sptep, iterator.oldSpte, spte)) {
                if (Spte.isWritable(spte) && !Spte.isWritable(iterator.oldSpte)) {
                    mmu.vm.markDirty(vcpu, fault.slot, fault.gfn);
                }
                mmu.emitSpte(root, iterator.gfn, iterator.level, iterator.oldSpte, spte);
                result = RetPf.FIXED;
                mmu.stats.count(MmuStats.Counter.PF_FAST);
            }
        }
        mmu.tables.rcuReadUnlock();
        return result;
    }

    /** What a fast fault would make of the entry; the entry itself if nothing. */
    private long fastFixed(long spte) {
        SpteFormat format = mmu.format();
        long fixed = spte;
        if (format.isAccessTracked(spte)) {
            fixed = format.restoreAccessTrack(spte);
        }
        if (fault.write && format.isMmuWritable(spte)) {
            if (iterator.level > Level.PG_4K && fault.slot.logsDirty()) {
                return spte;
            }
            fixed |= Spte.WRITABLE;
        }
        return fixed;
    }

    /** Stands on the lowest entry that covers the gfn. */
    private boolean walkTo(Root from, long gfn) {
        iterator.start(from, Level.PG_4K, gfn);
        while (Spte.isPresentTable(iterator.oldSpte, iterator.level)) {
            iterator.next();
        }
        return iterator.valid;
    }

    // ---- MMIO

    private Memslots slots() {
        return mmu.vm.memslots(vcpu.addressSpace());
    }

    /** vcpu_cache_mmio_info. */
    private void rememberMmio(long gfn) {
        mmioGfn = gfn;
        mmioGeneration = slots().generation();
    }

    /** Whether the vCPU remembers that an access to the page is MMIO (vcpu_match_mmio_gpa). */
    public boolean remembersMmio(long gpa) {
        return mmioGfn != 0 && mmioGfn == gpa >>> 12 && mmioGeneration == slots().generation();
    }

    /** handle_mmio_page_fault: the entry was illegal on purpose. */
    private int mmioPageFault(long gpa) {
        if (remembersMmio(gpa)) {
            return RetPf.EMULATE;
        }
        mmu.tables.rcuReadLock();
        walkTo(root, aliasFree(gpa >>> 12));
        mmu.tables.rcuReadUnlock();
        if (!mmu.format().isMmio(iterator.oldSpte)) {
            return RetPf.RETRY;
        }
        long generation = slots().generation();
        if ((generation & Memslots.UPDATE_IN_PROGRESS) != 0
                || (generation & MMIO_GENERATION) != SpteFormat.mmioGeneration(iterator.oldSpte)) {
            return RetPf.INVALID;
        }
        rememberMmio(mmu.format().mmioGfn(iterator.oldSpte));
        return RetPf.EMULATE;
    }

    @Override
    public Described table() {
        return new TdpTable(mmu, () -> root, mmu.vm.name() + (mmu.host.npt() ? ".npt" : ".ept"));
    }

    @Override
    public String toString() {
        return mmu.vm.name() + ".vcpu" + vcpu.id();
    }

    @Override
    public long fingerprint() {
        return ((root.pfn * 31 + mirrorRoot.pfn) * 31 + mmioGfn) * 31 + mmioGeneration;
    }

    @Override
    public Runnable checkpoint() {
        Root savedRoot = root;
        Root savedMirror = mirrorRoot;
        long savedGfn = mmioGfn;
        long savedGeneration = mmioGeneration;
        return () -> {
            root = savedRoot;
            mirrorRoot = savedMirror;
            mmioGfn = savedGfn;
            mmioGeneration = savedGeneration;
        };
    }
}
