package kvasir.kvm.tdx;

import static kvasir.metal.tdx.Operand.R8;

import kvasir.kvm.Errno;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Vcpu;
import kvasir.metal.tdx.SeamcallRegs;
import kvasir.metal.tdx.Tdvps;

/** KVM_TDX_INIT_VCPU (tdx_vcpu_init, tdx_td_vcpu_init). */
final class InitVcpuCommand {
    private static final long VMCS_NOTIFICATION_VECTOR = 0x0024000100000002L;
    private static final long VMCS_PI_DESCRIPTOR = 0x0024000300002016L;
    private static final long VMCS_PIN_BASED = 0x0024000200004000L;
    private static final long POSTED_INTERRUPTS = 1L << 7;
    private static final long POSTED_INTERRUPT_VECTOR = 0xf2;
    private static final long VP_INIT_VERSION_1 = 22 | 1 << 16;

    private final TdxVm td;
    private final TdxHost host;
    private final Vcpu vcpu;
    private final int cpu;

    InitVcpuCommand(TdxVm td, Vcpu vcpu) {
        this.td = td;
        this.host = td.host();
        this.vcpu = vcpu;
        cpu = host.cpuOf(vcpu.id());
    }

    IoctlResult run(long handOff, int flags) {
        if (flags != 0) {
            return TdxVm.invalid("tdx_vcpu_init: flags must be 0");
        }
        if (td.vcpuInitialised(vcpu)) {
            return TdxVm.invalid("tdx_vcpu_init: the vCPU is initialised already");
        }
        if (td.hkid() < 0 || td.state() == TdxVm.State.RUNNABLE) {
            return TdxVm.invalid("tdx_vcpu_ioctl: the TD has no HKID, or is finalized");
        }
        long tdvpr = host.allocatePage();
        if (tdvpr < 0) {
            return IoctlResult.err(Errno.ENOMEM, "tdx_td_vcpu_init: no page for the TDVPR");
        }
        long status = call("TDH.VP.CREATE", SeamcallRegs.of(10, tdvpr, td.tdr()));
        if (status != 0) {
            host.freePage(tdvpr);
            td.bug("TDH.VP.CREATE", status);
            return TdxVm.failed(Errno.EIO, "TDH.VP.CREATE", status);
        }
        return complete(new TdxVcpu(vcpu.id(), tdvpr, new TdxRun(td, vcpu)), handOff);
    }

    private IoctlResult complete(TdxVcpu made, long handOff) {
        long status = 0;
        for (int i = 1; i < Tdvps.PAGES && status == 0; i++) {
            long page = host.allocatePage();
            status = call("TDH.VP.ADDCX", SeamcallRegs.of(4, page, made.tdvpr));
            if (status == 0) {
                made.pages.add(page);
            } else {
                host.freePage(page);
            }
        }
        if (status == 0) {
            status = init(made.tdvpr, handOff);
        }
        if (status != 0) {
            td.leak(made.tdvpr);
            made.pages.forEach(td::leak);
            td.bug("TDH.VP.ADDCX or TDH.VP.INIT", status);
            return TdxVm.failed(Errno.EIO, "TDH.VP.ADDCX or TDH.VP.INIT", status);
        }
        td.addVcpu(made);
        td.vpWrite(cpu, made.tdvpr, VMCS_NOTIFICATION_VECTOR, POSTED_INTERRUPT_VECTOR, 0xffff);
        td.vpWrite(cpu, made.tdvpr, VMCS_PI_DESCRIPTOR, made.tdvpr, -1);
        td.vpWrite(cpu, made.tdvpr, VMCS_PIN_BASED, POSTED_INTERRUPTS, POSTED_INTERRUPTS);
        return IoctlResult.done();
    }

    /** 6.19 keeps zaps away: the leaf holds the TDR exclusively. */
    private long init(long tdvpr, long handOff) {
        boolean alone = td.locksEverything();
        if (alone) {
            td.vm().mmuLock().lock();
        }
        long status = call(
                "TDH.VP.INIT",
                SeamcallRegs.of(VP_INIT_VERSION_1, tdvpr, handOff).with(R8, vcpu.id()));
        if (alone) {
            td.vm().mmuLock().unlock();
        }
        return status;
    }

    private long call(String leaf, SeamcallRegs in) {
        return host.seamcall(cpu, leaf, in).rax();
    }
}
