package kvasir.kvm.snp;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import kvasir.event.Events;
import kvasir.kvm.Seam;
import kvasir.kvm.Seams;
import kvasir.kvm.mm.HostPages;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.paging.HostWriteCheck;
import kvasir.metal.snp.HostInstructions;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.ReturnCode;
import kvasir.metal.snp.Rmp;
import kvasir.metal.snp.RmpCheck;
import kvasir.metal.snp.RmpEntry;
import kvasir.metal.snp.RmpRegisters;
import kvasir.metal.snp.RmpUpdate;
import kvasir.metal.snp.Rules;
import kvasir.metal.snp.psp.CommandBuffer;
import kvasir.metal.snp.psp.FirmwareCommand;
import kvasir.metal.snp.psp.FirmwareStatus;
import kvasir.metal.snp.psp.PlatformConfig;
import kvasir.metal.snp.psp.SnpFirmware;
import kvasir.registry.Bytes;

/**
 * A host with SNP: the RMP at the top of its memory, the security processor and its driver, and the helpers by which the
 * kernel changes the RMP.
 */
public final class SnpHost {
    private static final String DEVICE = "the security processor and the RMP";

    private final PhysicalMemory memory;
    private final HostPages pages;
    private final Seams seams;
    private final Rules rules;
    private final Rmp rmp;
    private final HostInstructions instructions;
    private final SnpFirmware firmware;
    private final long commandPage;
    private final int asids;
    private List<Long> leaked = new ArrayList<>();
    private TreeSet<Integer> freeAsids = new TreeSet<>();
    private TreeSet<Integer> usedAsids = new TreeSet<>();

    /**
     * A host whose firmware is not initialised yet.
     *
     * @param memory all host memory; its end holds the RMP and the firmware's own pages
     * @param pages hands out the rest
     */
    public SnpHost(
            PhysicalMemory memory, HostPages pages, Seams seams, Events events, Rules rules, PlatformConfig config) {
        this.memory = memory;
        this.pages = pages;
        this.seams = seams;
        this.rules = rules;
        long table = RmpRegisters.bytesToCover(memory.size());
        long base = (memory.size() - table) & -PageSize.SIZE_2M.bytes();
        rmp = new Rmp(memory, events, RmpRegisters.contiguous(base, table));
        instructions = new HostInstructions(rmp, rules);
        long firmwareBase = base - PageSize.SIZE_2M.bytes();
        firmware = new SnpFirmware(rmp, rules, events, config, firmwareBase);
        var check = new RmpCheck(rmp, rules);
        pages.writableIf(new HostWriteCheck() {
            @Override
            public boolean allows(long hpa, int level) {
                return !firmware.initialised() || check.hostWrite(hpa, level).allowed();
            }

            @Override
            public long changes() {
                return rmp.changes();
            }
        });
        pages.reserve(firmwareBase >>> 12, memory.size() >>> 12);
        asids = config.asids();
        for (int asid = 1; asid <= asids; asid++) {
            freeAsids.add(asid);
        }
        commandPage = pages.allocate(HostPages.Use.UNMOVABLE) << 12;
    }

    /** The reverse map table. */
    public Rmp rmp() {
        return rmp;
    }

    /** The security processor. */
    public SnpFirmware firmware() {
        return firmware;
    }

    /** The readings of unsettled rules on this host. */
    public Rules rules() {
        return rules;
    }

    /** All host memory. */
    public PhysicalMemory memory() {
        return memory;
    }

    /** The host's page allocator. */
    public HostPages pages() {
        return pages;
    }

    /** Addresses of pages that could not be given back, in the order they were lost (snp_leak_pages). */
    public List<Long> leaked() {
        return List.copyOf(leaked);
    }

    /** SNP_INIT_EX with a fresh RMP, unless it was done (__sev_snp_init_locked). */
    public FirmwareStatus initialise() {
        return firmware.initialised()
                ? FirmwareStatus.SUCCESS
                : command(FirmwareCommand.SNP_INIT_EX, CommandBuffer.initEx(true, 0));
    }

    /** Executes one firmware command (sev_do_cmd, which has one command buffer and holds sev_cmd_mutex around it). */
    public FirmwareStatus command(FirmwareCommand command, Bytes buffer) {
        seams.at(Seam.FIRMWARE, command);
        seams.footprint().enters(DEVICE, firmware::fingerprint);
        CommandBuffer.write(memory, commandPage, buffer);
        FirmwareStatus status = firmware.issue(command.id(), commandPage);
        seams.footprint().leaves(status.ordinal());
        return status;
    }

    /** RMPUPDATE of one page or 2M frame. */
    public ReturnCode rmpupdate(long spa, RmpUpdate update) {
        seams.at(Seam.FIRMWARE, rmp);
        seams.footprint().enters(DEVICE, firmware::fingerprint);
        ReturnCode code = instructions.rmpupdate(spa, update);
        seams.footprint().leaves(code.ordinal());
        return code;
    }

    /** PSMASH of a 2M frame. */
    public ReturnCode psmash(long spa) {
        seams.at(Seam.FIRMWARE, rmp);
        seams.footprint().enters(DEVICE, firmware::fingerprint);
        ReturnCode code = instructions.psmash(spa);
        seams.footprint().leaves(code.ordinal());
        return code;
    }

    /** snp_lookup_rmpentry: the RMP entry of the page at {@code spa}; empty if the table does not cover it. */
    public Optional<RmpEntry> lookup(long spa) {
        if (!seams.footprint().listening()) {
            return rmp.lookup(spa);
        }
        seams.footprint().enters(DEVICE, firmware::fingerprint);
        Optional<RmpEntry> entry = rmp.lookup(spa);
        seams.footprint().leaves(entry.toString().hashCode());
        return entry;
    }

    long fingerprint() {
        return (leaked.hashCode() * 31L + freeAsids.hashCode()) * 31 + usedAsids.hashCode();
    }

    /** What firmware is about to do depends on the content of a page that the kernel wrote. */
    void goesByPage(long spa) {
        if (seams.footprint().listening()) {
            memory.read(spa, new byte[PhysicalMemory.FRAME_BYTES], 0, PhysicalMemory.FRAME_BYTES);
        }
    }

    /** A zeroed page in Firmware state (snp_alloc_firmware_page). */
    public long allocateFirmwarePage() {
        long spa = pages.allocate(HostPages.Use.UNMOVABLE) << 12;
        ReturnCode code = rmpupdate(spa, RmpUpdate.toFirmware());
        if (code != ReturnCode.SUCCESS) {
            throw new IllegalStateException("RMPUPDATE of a page nobody owns returned " + code);
        }
        return spa;
    }

    /** Gives a firmware page back to the kernel, or leaks it (snp_free_firmware_page). */
    public void freeFirmwarePage(long spa) {
        if (reclaim(spa)) {
            pages.free(spa >>> 12, 1, HostPages.Use.UNMOVABLE);
        }
    }

    /**
     * SNP_PAGE_RECLAIM and RMPUPDATE to shared (rmp_reclaim_pages).
     *
     * @return false if the page had to be leaked
     */
    public boolean reclaim(long spa) {
        boolean back = command(FirmwareCommand.SNP_PAGE_RECLAIM, CommandBuffer.page(spa, PageSize.SIZE_4K))
                        == FirmwareStatus.SUCCESS
                && rmpupdate(spa, RmpUpdate.shared(PageSize.SIZE_4K)) == ReturnCode.SUCCESS;
        if (!back) {
            leaked.add(spa);
        }
        return back;
    }

    /**
     * The lowest ASID that is free; when none is, those given back are made usable by WBINVD on all cores and DF_FLUSH
     * (sev_asid_new, __sev_recycle_asids). 0 if there is none.
     */
    public int allocateAsid() {
        if (freeAsids.isEmpty() && !usedAsids.isEmpty()) {
            firmware.wbinvdOnAllCores();
            if (command(FirmwareCommand.SNP_DF_FLUSH, CommandBuffer.address(0)) == FirmwareStatus.SUCCESS) {
                freeAsids.addAll(usedAsids);
                usedAsids.clear();
            }
        }
        return freeAsids.isEmpty() ? 0 : freeAsids.pollFirst();
    }

    /** ASIDs for SNP guests that the platform has, whoever has them. */
    public int asids() {
        return asids;
    }

    /** Whether a guest has this ASID. */
    public boolean asidInUse(int asid) {
        return !freeAsids.contains(asid) && !usedAsids.contains(asid);
    }

    /** The guest is gone; its ASID waits for a flush (sev_asid_free). */
    public void freeAsid(int asid) {
        usedAsids.add(asid);
    }

    /** The fields as they are, as an action that puts them back. */
    public Runnable checkpoint() {
        var savedLeaked = List.copyOf(leaked);
        var savedFree = new TreeSet<>(freeAsids);
        var savedUsed = new TreeSet<>(usedAsids);
        return () -> {
            leaked = new ArrayList<>(savedLeaked);
            freeAsids = new TreeSet<>(savedFree);
            usedAsids = new TreeSet<>(savedUsed);
        };
    }

    /** Leaves a page assigned for ever. */
    void leak(long spa) {
        leaked.add(spa);
    }
}
