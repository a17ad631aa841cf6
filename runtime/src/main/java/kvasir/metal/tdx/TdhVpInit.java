package kvasir.metal.tdx;

import static kvasir.metal.tdx.Operand.R8;
import static kvasir.metal.tdx.Operand.RCX;
import static kvasir.metal.tdx.Operand.RDX;

/**
 * TDH.VP.INIT (22): RCX = TDVPR, RDX = what the guest finds in RCX and R8. Version 1 (newer module): R8 bits 31:0 =
 * x2APIC id, and
 * the TDR is held exclusively; version 0 takes the vCPU index.
 */
final class TdhVpInit {

    private TdhVpInit() {}

    static void run(HostCall call) {
        call.lockTdvpr(call.in(RCX), RCX, HostCall.EXCLUSIVE, call.version() > 0);
        call.tdcsCheck(OpState.BUILD);
        call.tdvpsComplete();
        call.check(c -> c.tdvps().state() == VcpuState.VCPU_UNINITIALIZED, Status.VCPU_STATE_INCORRECT.value());
        call.check(c -> c.tdcs().numVcpus() < c.tdcs().maxVcpus(), Status.MAX_VCPUS_EXCEEDED.value());
        if (call.failed()) {
            return;
        }
        Tdcs tdcs = call.tdcs();
        Tdvps vcpu = call.tdvps();
        int index = tdcs.numVcpus();
        tdcs.setU32(Tdcs.NUM_VCPUS, index + 1);
        vcpu.setU32(Tdvps.VCPU_INDEX, index);
        vcpu.setU32(Tdvps.X2APIC_ID, call.version() == 0 ? index : (int) call.in(R8));
        initialState(vcpu, tdcs, call.in(RDX));
        vcpu.setState(VcpuState.VCPU_READY);
        call.associate();
    }

    private static void initialState(Tdvps vcpu, Tdcs tdcs, long handOff) {
        long signature = tdcs.u32(Tdcs.CPUID_VALUES) & 0xffff_ffffL;
        vcpu.setGpr(Operand.RBX, tdcs.gpaWidth());
        vcpu.setGpr(Operand.RCX, handOff);
        vcpu.setGpr(Operand.R8, handOff);
        vcpu.setGpr(Operand.RDX, signature);
        vcpu.setGpr(Operand.RSI, vcpu.index());
        vcpu.setU64(Tdvps.RIP, 0xffff_fff0L);
        vcpu.setU64(Tdvps.RFLAGS, 2);
        vcpu.setU64(Tdvps.CR0, 0x21);
        vcpu.setU64(Tdvps.CR4, 0x2040);
        vcpu.setU64(Tdvps.EFER, 0x901);
        vcpu.setU64(Tdvps.XCR0, 1);
        vcpu.setU64(Tdvps.DR6, 0xffff_0ff0L);
        vcpu.setU64(Tdvps.DR7, 0x400);
        vcpu.setU64(Tdvps.PAT, 0x0007_0406_0007_0406L);
        vcpu.setU64(Tdvps.FMASK, 0x20200);
        vcpu.setU64(Tdvps.APIC_BASE, 0xfee0_0c00L | (vcpu.index() == 0 ? 0x100 : 0));
    }
}
