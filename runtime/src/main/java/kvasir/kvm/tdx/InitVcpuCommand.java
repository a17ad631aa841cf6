package kvasir.kvm.tdx;

import static kvasir.metal.tdx.Operand.R8;

import java.util.ArrayList;
import java.util.List;
import kvasir.kvm.Check;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Vcpu;
import kvasir.metal.cpu.CpuidModel;
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
            return Check.TDX_VCPU_FLAGS.refuse("tdx_vcpu_init: flags must be 0");
        }
        if (td.vcpuInitialised(vcpu)) {
            return Check.TDX_VCPU_STATE.refuse("tdx_vcpu_init: the vCPU is initialised already");
        }
        if (!vcpu.guestHas(CpuidModel.Feature.X2APIC)) {
            return Check.TDX_VCPU_X2APIC.refuse(
                    "kvm_apic_set_base: KVM_SET_CPUID2 has not told of x2APIC, the mode of a TD's local APIC");
        }
        var pages = new ArrayList<Long>();
        for (int i = 0; i < Tdvps.PAGES; i++) {
            long page = host.allocatePage();
            if (page < 0) {
                pages.forEach(host::freePage);
                return Check.TDX_VCPU_MEMORY.refuse("tdx_td_vcpu_init: no page for the TDVPR or a TDCX");
            }
            pages.add(page);
        }
        long status = call("TDH.VP.CREATE", SeamcallRegs.of(10, pages.getFirst(), td.tdr()));
        if (status != 0) {
            pages.forEach(host::freePage);
            td.bug("TDH.VP.CREATE", status);
            return TdxVm.failed(Check.TDX_VCPU_REFUSED, "TDH.VP.CREATE", status);
        }
        return complete(pages, handOff);
    }

    private IoctlResult complete(List<Long> pages, long handOff) {
        var made = new TdxVcpu(vcpu.id(), pages.getFirst(), new TdxRun(td, vcpu));
        long status = 0;
        for (long page : pages.subList(1, pages.size())) {
            status = status == 0 ? call("TDH.VP.ADDCX", SeamcallRegs.of(4, page, made.tdvpr)) : status;
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
            return TdxVm.failed(Check.TDX_VCPU_REFUSED, "TDH.VP.ADDCX or TDH.VP.INIT", status);
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
