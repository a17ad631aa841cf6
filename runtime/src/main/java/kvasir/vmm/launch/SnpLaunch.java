package kvasir.vmm.launch;

import kvasir.event.Events;
import kvasir.kvm.Seams;
import kvasir.kvm.mm.HostPages;
import kvasir.kvm.snp.SnpGuest;
import kvasir.kvm.snp.SnpHost;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.snp.Rules;
import kvasir.metal.snp.psp.FirmwareStatus;
import kvasir.metal.snp.psp.Ledger;
import kvasir.metal.snp.psp.PlatformConfig;
import kvasir.registry.Bytes;

/**
 * Follows a {@link SnpLaunchPlan} on a host: every page goes through RMPUPDATE and SNP_LAUNCH_UPDATE, so that the digest
 * is what the firmware measured. {@code kvs snp-digest} is this on a host of its own.
 */
public final class SnpLaunch {
    /** The policy that VMMs use: bit 17, and SMT. */
    public static final long USUAL_POLICY = 0x30000;

    private static final long HOST_BYTES = 4L << 30;

    private final SnpHost host;
    private final SnpGuest guest;

    /** A launch of the guest with {@code asid} on {@code host}, which is initialised if it is not yet. */
    public SnpLaunch(SnpHost host, int asid) throws LaunchRefused {
        this.host = host;
        check("SNP_INIT_EX", host.initialise());
        guest = new SnpGuest(host, asid);
        check("SNP_GCTX_CREATE", guest.createContext());
    }

    /** A launch on a fresh host of its own. */
    public static SnpLaunch onFreshHost() throws LaunchRefused {
        var memory = new PhysicalMemory(HOST_BYTES);
        var host = new SnpHost(
                memory,
                new HostPages(memory),
                Seams.SEQUENTIAL,
                new Events(),
                Rules.standard(),
                PlatformConfig.milan(Bytes.of(new byte[32])));
        return new SnpLaunch(host, 1);
    }

    /** The guest that is launched. */
    public SnpGuest guest() {
        return guest;
    }

    /** The host it is launched on. */
    public SnpHost host() {
        return host;
    }

    /** KVM_SEV_SNP_LAUNCH_START. */
    public void start(long policy) throws LaunchRefused {
        check("SNP_LAUNCH_START", guest.start(policy, Bytes.of(new byte[16])));
    }

    /** One KVM_SEV_SNP_LAUNCH_UPDATE. */
    public void update(SnpLaunchPlan.Update update) throws LaunchRefused {
        for (long done = 0; done < update.size(); done += 4096) {
            long spa = host.pages().allocate(HostPages.Use.GMEM) << 12;
            if (update.content().isPresent()) {
                host.memory().write(spa, update.content().get().toArray(), (int) done, 4096);
            }
            added(update.what(), guest.add(spa, update.gpa() + done, update.type()));
        }
    }

    /** The VMSA of the next vCPU. */
    public void vmsa(Bytes page) throws LaunchRefused {
        added("VMSA", guest.addVmsa(page));
    }

    /** All steps from the start to SNP_LAUNCH_FINISH without identity; returns the steps of the digest. */
    public Ledger run(SnpLaunchPlan plan, long policy) throws LaunchRefused {
        start(policy);
        return run(plan);
    }

    /** The updates, the VMSAs and SNP_LAUNCH_FINISH of a guest that was started. */
    Ledger run(SnpLaunchPlan plan) throws LaunchRefused {
        for (SnpLaunchPlan.Update update : plan.updates()) {
            update(update);
        }
        for (Bytes vmsa : plan.vmsas()) {
            vmsa(vmsa);
        }
        check("SNP_LAUNCH_FINISH", guest.finish());
        return guest.ledger();
    }

    private static void added(String what, SnpGuest.Added added) throws LaunchRefused {
        if (added.result() != SnpGuest.PageResult.ADDED) {
            throw new LaunchRefused("%s: %s (firmware %s)".formatted(what, added.result(), added.status()));
        }
    }

    private static void check(String command, FirmwareStatus status) throws LaunchRefused {
        if (status != FirmwareStatus.SUCCESS) {
            throw new LaunchRefused(command + " returned " + status);
        }
    }
}
