package kvasir.kvm.tdx;

import static kvasir.metal.tdx.Operand.RCX;

import java.util.ArrayList;
import java.util.List;
import kvasir.kvm.Errno;
import kvasir.kvm.Requests;
import kvasir.kvm.Vcpu;
import kvasir.kvm.Vm;
import kvasir.kvm.mmu.Spte;
import kvasir.metal.tdx.Operand;
import kvasir.metal.tdx.SeamcallRegs;
import kvasir.metal.tdx.SeptState;
import kvasir.metal.tdx.Status;

/** What KVM does to the S-EPT when its mirror changes (tdx_sept_*), and what it remembers between those calls. */
final class SeptHooks {
    private final TdxVm td;
    private final Vm vm;
    private final TdxHost host;
    private List<Long> septPages = new ArrayList<>();
    private long premapped;
    private long pageAddSource = -1;
    private boolean waitForSeptZap;
    private int inside;
    private final String premappedCell;
    private final String septPagesCell;
    private final String sourceCell;
    private final String waitCell;
    private final String insideCell;

    SeptHooks(TdxVm td) {
        this.td = td;
        vm = td.vm();
        host = td.host();
        premappedCell = vm.name() + ".tdx.nr_premapped";
        septPagesCell = vm.name() + ".tdx.sept_pages";
        sourceCell = vm.name() + ".tdx.page_add_src";
        waitCell = vm.name() + ".tdx.wait_for_sept_zap";
        insideCell = vm.name() + ".tdx.inside";
    }

    /** Mirror leaves whose page is not added yet (nr_premapped). */
    long premapped() {
        td.told().read(premappedCell, premapped);
        return premapped;
    }

    private void premapped(int change) {
        td.told().added(premappedCell, premapped, change);
        premapped += change;
    }

    /** A premapped page was added. */
    void added() {
        premapped(-1);
    }

    /** The source of the page that {@link #set} adds; −1 for none. */
    void pageAddSource(long hpa) {
        td.told().wrote(sourceCell, pageAddSource, hpa);
        pageAddSource = hpa;
    }

    /** The S-EPT's table pages, which from now on are the caller's to give back. */
    List<Long> takePages() {
        List<Long> pages = List.copyOf(septPages);
        septPages.clear();
        return pages;
    }

    /** link_external_spt: TDH.MEM.SEPT.ADD. */
    int link(long gfn, int level, long externalPfn) {
        long page = externalPfn << 12;
        long status = host.seamcall(
                        0, "TDH.MEM.SEPT.ADD", SeamcallRegs.of(3, gfn << 12 | (level - 1), td.tdr(), page, 0))
                .rax();
        if (status == 0) {
            if (td.told().listening()) {
                long sum = septPages.stream().mapToLong(Long::longValue).sum();
                td.told().added(septPagesCell, sum, page);
            }
            septPages.add(page);
        }
        return installed("TDH.MEM.SEPT.ADD", status);
    }

    /** set_external_spte: TDH.MEM.PAGE.AUG once the TD runs; before, TDH.MEM.PAGE.ADD or only a count. */
    int set(long gfn, int level, long spte) {
        if (level != 1) {
            vm.bug("tdx_sept_set_private_spte: level " + level);
            return -Errno.EIO.number();
        }
        long pfn = Spte.pfn(spte);
        if (td.state() == TdxVm.State.RUNNABLE) {
            long status = host.seamcall(0, "TDH.MEM.PAGE.AUG", SeamcallRegs.of(6, gfn << 12, td.tdr(), pfn << 12, 0))
                    .rax();
            return installed("TDH.MEM.PAGE.AUG", status);
        }
        if (td.mode() != InitMemRegionMode.MERGED_6_19) {
            premapped(1);
            return 0;
        }
        td.told().read(sourceCell, pageAddSource);
        if (pageAddSource < 0) {
            vm.bug("tdx_mem_page_add: no source page");
            return -Errno.EIO.number();
        }
        return installed("TDH.MEM.PAGE.ADD", td.pageAdd(gfn << 12, pfn, pageAddSource));
    }

    private int installed(String leaf, long status) {
        if (status == 0) {
            return 0;
        }
        if (Status.OPERAND_BUSY.is(status)) {
            return -Errno.EBUSY.number();
        }
        td.bug(leaf, status);
        return -Errno.EIO.number();
    }

    /** remove_external_spte: block, track, remove, write back (tdx_sept_remove_private_spte). */
    void remove(long gfn, int level, long oldSpte) {
        if (td.hkid() < 0) {
            vm.bug("tdx_sept_remove_private_spte: the HKID is released");
            return;
        }
        var gpaAndTdr = SeamcallRegs.of(7, gfn << 12 | (level - 1), td.tdr());
        SeamcallRegs blocked = zap("TDH.MEM.RANGE.BLOCK", gpaAndTdr);
        if (blocked.rax() != 0) {
            if (neverAdded(blocked)) {
                premapped(-1);
            } else {
                td.bug("TDH.MEM.RANGE.BLOCK", blocked.rax());
            }
            return;
        }
        if (td.state() == TdxVm.State.RUNNABLE) {
            long tracked = zap("TDH.MEM.TRACK", SeamcallRegs.leaf(38).with(RCX, td.tdr()))
                    .rax();
            if (tracked != 0) {
                td.bug("TDH.MEM.TRACK", tracked);
            }
            vm.makeAllVcpusRequest(Requests.TLB_FLUSH);
        }
        SeamcallRegs removed = zap("TDH.MEM.PAGE.REMOVE", gpaAndTdr.with(Operand.RAX, 29));
        if (removed.rax() != 0) {
            td.bug("TDH.MEM.PAGE.REMOVE", removed.rax());
            return;
        }
        long page = Spte.pfn(oldSpte) << 12;
        long written = host.writeBack(page, td.hkid());
        if (written != 0) {
            td.bug("TDH.PHYMEM.PAGE.WBINVD", written);
            return;
        }
        vm.kvm().memory().discard(page >>> 12);
    }

    /** The premapped page of an unfinalized TD: the S-EPT entry is not a leaf the guest could use. */
    private boolean neverAdded(SeamcallRegs blocked) {
        int entryState = (int) (blocked.rdx() >>> 8) & 0xff;
        return td.mode() != InitMemRegionMode.MERGED_6_19
                && td.state() != TdxVm.State.RUNNABLE
                && premapped() > 0
                && blocked.rax() == Status.EPT_ENTRY_STATE_INCORRECT.on(RCX)
                && entryState == SeptState.FREE.publicNumber();
    }

    /**
     * A SEAMCALL of the zap side. If it finds a lock taken, all vCPUs leave the guest and stay out while it is tried once
     * more (tdx_no_vcpus_enter_start, tdx_no_vcpus_enter_stop).
     */
    private SeamcallRegs zap(String leaf, SeamcallRegs in) {
        SeamcallRegs out = host.seamcall(0, leaf, in);
        if (!Status.OPERAND_BUSY.is(out.rax())) {
            return out;
        }
        waitForSeptZap(true);
        vm.vcpus().forEach(Vcpu::kick);
        vm.seams().await(waitCell, this::nobodyInside);
        SeamcallRegs again = host.seamcall(0, leaf, in);
        waitForSeptZap(false);
        return again;
    }

    private void waitForSeptZap(boolean next) {
        td.told().wrote(waitCell, waitForSeptZap ? 1 : 0, next ? 1 : 0);
        waitForSeptZap = next;
    }

    private boolean nobodyInside() {
        td.told().read(insideCell, inside);
        return inside == 0;
    }

    /** Whether a zap keeps vCPUs out of the guest. */
    boolean waitForSeptZap() {
        td.told().read(waitCell, waitForSeptZap ? 1 : 0);
        return waitForSeptZap;
    }

    /** A vCPU enters the guest (1) or has left it (-1). */
    void inside(int change) {
        td.told().added(insideCell, inside, change);
        inside += change;
    }

    /** free_external_spt: TDH.PHYMEM.PAGE.RECLAIM, once the HKID is released. */
    void free(long externalPfn) {
        long page = externalPfn << 12;
        if (td.hkid() >= 0) {
            vm.bug("tdx_sept_free_private_spt: the HKID is still assigned");
            return;
        }
        if (septPages.remove(page)) {
            td.giveBack(page);
        }
    }

    Runnable checkpoint() {
        List<Long> savedPages = List.copyOf(septPages);
        long savedPremapped = premapped;
        return () -> {
            septPages = new ArrayList<>(savedPages);
            premapped = savedPremapped;
            pageAddSource = -1;
            waitForSeptZap = false;
            inside = 0;
        };
    }
}
