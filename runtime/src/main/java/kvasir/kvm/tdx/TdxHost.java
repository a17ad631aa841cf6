package kvasir.kvm.tdx;

import java.util.TreeSet;
import kvasir.kvm.FaultInjection;
import kvasir.kvm.Kvm;
import kvasir.kvm.Seam;
import kvasir.kvm.mm.HostPages;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.tdx.LockObject;
import kvasir.metal.tdx.Operand;
import kvasir.metal.tdx.Platform;
import kvasir.metal.tdx.SeamcallRegs;
import kvasir.metal.tdx.Status;
import kvasir.metal.tdx.TdxModule;

/**
 * The TDX module of one host, brought up as Linux does at boot, and what KVM needs to call it (virt/vmx/tdx/tdx.c).
 *
 * <p>One TDMR covers host memory from 0; its PAMT lies above, at the end of memory.
 */
public final class TdxHost {
    private static final long GIB = 1L << 30;
    private static final int KEY_ID_BITS = 6;
    private static final int LPS = 64;
    private static final int PACKAGES = 2;
    private static final int ENTROPY_RETRIES = 10;
    private static final long TDMR_INFO_BYTES = 512;

    private final Kvm kvm;
    private final TdxModule module;
    private final int globalHkid;
    private TreeSet<Integer> freeHkids = new TreeSet<>();

    /**
     * Loads and initialises the module.
     *
     * @throws IllegalArgumentException if the host has less than 2 GiB of memory
     */
    public TdxHost(Kvm kvm, long seed) {
        this.kvm = kvm;
        PhysicalMemory memory = kvm.memory();
        long gibs = memory.size() / GIB;
        if (gibs < 2) {
            throw new IllegalArgumentException("TDX needs a host with at least 2 GiB of memory");
        }
        var all = Platform.of(memory.size(), LPS, PACKAGES);
        var platform = new Platform(
                Math.min(52, kvm.host().maxPhyAddr() + KEY_ID_BITS),
                KEY_ID_BITS,
                all.mktmeKeys(),
                all.tdxKeys(),
                all.packageOfLp(),
                all.convertible(),
                all.seamRange());
        module = new TdxModule(memory, platform, kvm.events(), seed);
        globalHkid = platform.firstPrivateHkid();
        for (int hkid = globalHkid + 1; platform.privateHkid(hkid); hkid++) {
            freeHkids.add(hkid);
        }
        bringUp(gibs);
        module.seams((lp, object, exclusive) -> {
            if (exclusive && (object == LockObject.TDR || object == LockObject.SEPT_TREE)) {
                kvm.seams().at(Seam.SEAMCALL, object);
            }
        });
    }

    /** tdx_cpu_enable on every CPU, then init_tdx_module. */
    private void bringUp(long gibs) {
        must("TDH.SYS.INIT", SeamcallRegs.leaf(33), 0);
        for (int lp = 0; lp < LPS; lp++) {
            must("TDH.SYS.LP.INIT", SeamcallRegs.leaf(35), lp);
        }
        long pamtGibs = (pamtBytes(gibs) + GIB - 1) / GIB;
        long array = allocatePage();
        long info = array + TDMR_INFO_BYTES;
        writeTdmr(array, info, (gibs - pamtGibs) * GIB);
        must("TDH.SYS.CONFIG", SeamcallRegs.of(45, array, 1, globalHkid, 0), 0);
        for (int lp = 0; lp < PACKAGES; lp++) {
            must("TDH.SYS.KEY.CONFIG", SeamcallRegs.leaf(31), lp);
        }
        long next = 0;
        while (next < (gibs - pamtGibs) * GIB) {
            next = must("TDH.SYS.TDMR.INIT", SeamcallRegs.of(36, 0, 0), 0).rdx();
        }
        kvm.pages().free(array >>> 12, 1, HostPages.Use.UNMOVABLE);
    }

    private static long pamtBytes(long gibs) {
        return gibs * (4 << 20) + gibs * (8 << 10) + ((gibs * 16 + 4095) & -4096L);
    }

    private void writeTdmr(long array, long info, long bytes) {
        PhysicalMemory memory = kvm.memory();
        long gibs = bytes / GIB;
        memory.write64(array, info);
        memory.write64(info, 0);
        memory.write64(info + 8, bytes);
        long size4k = gibs * (4 << 20);
        long size2m = gibs * (8 << 10);
        long size1g = (gibs * 16 + 4095) & -4096L;
        memory.write64(info + 16, bytes + size4k + size2m);
        memory.write64(info + 24, size1g);
        memory.write64(info + 32, bytes + size4k);
        memory.write64(info + 40, size2m);
        memory.write64(info + 48, bytes);
        memory.write64(info + 56, size4k);
    }

    private SeamcallRegs must(String leaf, SeamcallRegs in, int lp) {
        SeamcallRegs out = module.seamcall(lp, in);
        if (Status.error(out.rax())) {
            throw new IllegalStateException(leaf + " answered " + Status.describe(out.rax()));
        }
        return out;
    }

    /** The module. */
    public TdxModule module() {
        return module;
    }

    /** The key id of the module's own data. */
    public int globalHkid() {
        return globalHkid;
    }

    int packages() {
        return PACKAGES;
    }

    /** The CPU that a vCPU's ioctls run on. */
    int cpuOf(int vcpuId) {
        return vcpuId % LPS;
    }

    int cpus() {
        return LPS;
    }

    /** A key id for a TD (tdx_guest_keyid_alloc); -1 if none is free. */
    int allocateHkid() {
        return freeHkids.isEmpty() ? -1 : freeHkids.pollFirst();
    }

    void freeHkid(int hkid) {
        freeHkids.add(hkid);
    }

    /** SEAMCALL with Linux's retry while entropy is short (sc_retry). */
    SeamcallRegs seamcall(int lp, String leaf, SeamcallRegs in) {
        kvm.seams().at(Seam.SEAMCALL, leaf);
        if (module.locksTdr(leaf) && kvm.faults().strikes(FaultInjection.Kind.SEAMCALL)) {
            return in.with(Operand.RAX, Status.OPERAND_BUSY.on(Operand.TDR));
        }
        kvm.seams().footprint().enters("the TDX module", module::fingerprint);
        SeamcallRegs out = module.seamcall(lp, in);
        for (int i = 1; i < ENTROPY_RETRIES && Status.RND_NO_ENTROPY.is(out.rax()); i++) {
            out = module.seamcall(lp, in);
        }
        kvm.seams().footprint().leaves(out.hashCode());
        return out;
    }

    /** A zeroed page, as HPA; -1 if the host has none left. */
    long allocatePage() {
        long pfn = kvm.pages().allocate(HostPages.Use.UNMOVABLE);
        return pfn < 0 ? -1 : pfn << 12;
    }

    void freePage(long hpa) {
        kvm.pages().free(hpa >>> 12, 1, HostPages.Use.UNMOVABLE);
    }

    /** TDH.PHYMEM.PAGE.RECLAIM and the flush of the page; false if the page must be leaked (tdx_reclaim_page). */
    boolean reclaim(long hpa, int hkid) {
        if (seamcall(0, "TDH.PHYMEM.PAGE.RECLAIM", SeamcallRegs.leaf(28).with(Operand.RCX, hpa))
                        .rax()
                != 0) {
            return false;
        }
        return writeBack(hpa, hkid) == 0;
    }

    /** TDH.PHYMEM.PAGE.WBINVD with the key id that wrote the page. */
    long writeBack(long hpa, int hkid) {
        long keyed = hpa | (long) hkid << module.platform().hkidShift();
        return seamcall(0, "TDH.PHYMEM.PAGE.WBINVD", SeamcallRegs.leaf(41).with(Operand.RCX, keyed))
                .rax();
    }

    long fingerprint() {
        return freeHkids.hashCode();
    }

    Runnable checkpoint() {
        var saved = module.save();
        var savedHkids = new TreeSet<>(freeHkids);
        return () -> {
            module.restore(saved);
            freeHkids = new TreeSet<>(savedHkids);
        };
    }
}
