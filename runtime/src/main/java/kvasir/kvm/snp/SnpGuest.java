package kvasir.kvm.snp;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import kvasir.kvm.mm.HostPages;
import kvasir.metal.snp.PageSize;
import kvasir.metal.snp.ReturnCode;
import kvasir.metal.snp.RmpUpdate;
import kvasir.metal.snp.Vmsa;
import kvasir.metal.snp.psp.CommandBuffer;
import kvasir.metal.snp.psp.FirmwareCommand;
import kvasir.metal.snp.psp.FirmwareStatus;
import kvasir.metal.snp.psp.Ledger;
import kvasir.metal.snp.psp.PageType;
import kvasir.registry.Bytes;

/**
 * One SNP guest as the host kernel holds it: ASID, context page, VMSA pages. The ioctls with their errnos are above it.
 */
public final class SnpGuest {
    private final SnpHost host;
    private final int asid;
    private List<Long> vmsaPages = new ArrayList<>();
    private long context;
    private boolean launched;

    /** What became of one page of SNP_LAUNCH_UPDATE. */
    public enum PageResult {
        ADDED,
        /** The page is in the RMP already; nothing changed. */
        ALREADY_ASSIGNED,
        /** RMPUPDATE refused; nothing changed. */
        RMP_REFUSED,
        /** Firmware refused; the page is the host's again. */
        FIRMWARE_REFUSED,
        /** Firmware refused and the page could not be taken back: the VM must not go on. */
        LOST
    }

    /**
     * A page and the firmware's answer.
     *
     * @param status SUCCESS when firmware was not asked
     */
    public record Added(PageResult result, FirmwareStatus status) {}

    /** @param asid free, 1 to the platform's highest */
    public SnpGuest(SnpHost host, int asid) {
        this.host = host;
        this.asid = asid;
    }

    /** The guest's ASID. */
    public int asid() {
        return asid;
    }

    /** Address of the context page; 0 before {@link #start} and after {@link #destroy}. */
    public long context() {
        return context;
    }

    long fingerprint() {
        return ((asid * 31L + context) * 31 + (launched ? 1 : 0)) * 31 + vmsaPages.hashCode();
    }

    /** Whether SNP_LAUNCH_FINISH was done. */
    public boolean launched() {
        return launched;
    }

    /** Addresses of the VMSA pages in the order of the vCPUs. */
    public List<Long> vmsaPages() {
        return List.copyOf(vmsaPages);
    }

    /** The steps of the launch digest so far. */
    public Ledger ledger() {
        return host.firmware().ledger(context).orElse(new Ledger(List.of()));
    }

    /** The launch digest as an observer sees it; 48 zero bytes before the start. */
    public Bytes launchDigest() {
        return host.firmware().launchDigest(context).orElse(Bytes.of(new byte[48]));
    }

    /** SNP_GCTX_CREATE (snp_context_create). */
    public FirmwareStatus createContext() {
        context = host.allocateFirmwarePage();
        FirmwareStatus status = host.command(FirmwareCommand.SNP_GCTX_CREATE, CommandBuffer.address(context));
        if (status != FirmwareStatus.SUCCESS) {
            host.freeFirmwarePage(context);
            context = 0;
        }
        return status;
    }

    /**
     * SNP_LAUNCH_START and SNP_ACTIVATE; if one fails the context is decommissioned again (snp_launch_start).
     *
     * @param gosvw 16 bytes
     */
    public FirmwareStatus start(long policy, Bytes gosvw) {
        FirmwareStatus status = host.command(
                FirmwareCommand.SNP_LAUNCH_START, CommandBuffer.launchStart(context, policy, false, gosvw));
        if (status == FirmwareStatus.SUCCESS) {
            status = host.command(FirmwareCommand.SNP_ACTIVATE, CommandBuffer.activate(context, asid));
        }
        if (status != FirmwareStatus.SUCCESS) {
            decommission();
        }
        return status;
    }

    /**
     * Gives the guest the 4 KiB page at {@code spa}, whose content is the source already (the core of
     * sev_gmem_post_populate).
     */
    public Added add(long spa, long gpa, PageType type) {
        if (host.lookup(spa).map(e -> e.assigned()).orElse(false)) {
            return new Added(PageResult.ALREADY_ASSIGNED, FirmwareStatus.SUCCESS);
        }
        if (host.rmpupdate(spa, RmpUpdate.toGuest(gpa, PageSize.SIZE_4K, asid, true)) != ReturnCode.SUCCESS) {
            return new Added(PageResult.RMP_REFUSED, FirmwareStatus.SUCCESS);
        }
        host.goesByPage(spa);
        FirmwareStatus status = host.command(
                FirmwareCommand.SNP_LAUNCH_UPDATE,
                CommandBuffer.launchUpdate(context, PageSize.SIZE_4K, type, false, spa, 0));
        if (status == FirmwareStatus.SUCCESS) {
            return new Added(PageResult.ADDED, status);
        }
        return new Added(host.reclaim(spa) ? PageResult.FIRMWARE_REFUSED : PageResult.LOST, status);
    }

    /** Gives the guest a VMSA with this content, on a fresh page that is not 2M aligned (snp_launch_update_vmsa). */
    public Added addVmsa(Bytes content) {
        long spa = host.pages().allocate(HostPages.Use.UNMOVABLE) << 12;
        if (PageSize.SIZE_2M.aligned(spa)) {
            long other = host.pages().allocate(HostPages.Use.UNMOVABLE) << 12;
            host.pages().free(spa >>> 12, 1, HostPages.Use.UNMOVABLE);
            spa = other;
        }
        host.memory().write(spa, content.toArray(), 0, content.length());
        Added added = add(spa, Vmsa.INITIAL_GPA, PageType.VMSA);
        if (added.result() == PageResult.ADDED) {
            vmsaPages.add(spa);
        }
        return added;
    }

    /**
     * SNP_LAUNCH_FINISH.
     *
     * @param idBlock 96 bytes, if there is one
     * @param idAuthentication 4096 bytes, if there is an ID block
     * @param hostData 32 bytes
     */
    public FirmwareStatus finish(
            Optional<Bytes> idBlock,
            Optional<Bytes> idAuthentication,
            boolean authorKey,
            boolean vcekDisabled,
            Bytes hostData) {
        long block = idBlock.map(this::stage).orElse(0L);
        long authentication = idAuthentication.map(this::stage).orElse(0L);
        FirmwareStatus status = host.command(
                FirmwareCommand.SNP_LAUNCH_FINISH,
                CommandBuffer.launchFinish(context, block, authentication, authorKey, vcekDisabled, hostData));
        launched |= status == FirmwareStatus.SUCCESS;
        unstage(block);
        unstage(authentication);
        return status;
    }

    /** SNP_LAUNCH_FINISH without identity and with zero host data. */
    public FirmwareStatus finish() {
        return finish(Optional.empty(), Optional.empty(), false, false, Bytes.of(new byte[32]));
    }

    private long stage(Bytes content) {
        long spa = host.pages().allocate(HostPages.Use.UNMOVABLE) << 12;
        host.memory().write(spa, content.toArray(), 0, content.length());
        return spa;
    }

    private void unstage(long spa) {
        if (spa != 0) {
            host.pages().free(spa >>> 12, 1, HostPages.Use.UNMOVABLE);
        }
    }

    private FirmwareStatus decommission() {
        long page = context;
        context = 0;
        FirmwareStatus status = host.command(FirmwareCommand.SNP_DECOMMISSION, CommandBuffer.address(page));
        if (status == FirmwareStatus.SUCCESS) {
            host.freeFirmwarePage(page);
        } else {
            host.leak(page);
        }
        return status;
    }

    /**
     * Ends the guest: SNP_DECOMMISSION, then its VMSA pages become the host's (sev_vm_destroy, sev_free_vcpu).
     *
     * @return SUCCESS, or why the ASID is leaked
     */
    public FirmwareStatus destroy() {
        FirmwareStatus status = context == 0 ? FirmwareStatus.SUCCESS : decommission();
        for (long spa : vmsaPages) {
            if (host.rmpupdate(spa, RmpUpdate.shared(PageSize.SIZE_4K)) == ReturnCode.SUCCESS) {
                host.pages().free(spa >>> 12, 1, HostPages.Use.UNMOVABLE);
            } else {
                host.leak(spa);
            }
        }
        vmsaPages.clear();
        return status;
    }

    /** The fields as they are, as an action that puts them back. */
    Runnable checkpoint() {
        var savedPages = List.copyOf(vmsaPages);
        long savedContext = context;
        boolean savedLaunched = launched;
        return () -> {
            vmsaPages = new ArrayList<>(savedPages);
            context = savedContext;
            launched = savedLaunched;
        };
    }
}
