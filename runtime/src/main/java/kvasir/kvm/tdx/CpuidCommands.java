package kvasir.kvm.tdx;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import kvasir.kvm.Errno;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Vcpu;
import kvasir.metal.tdx.CpuidConfig;
import kvasir.metal.tdx.SeamcallRegs;

/** KVM_TDX_CAPABILITIES and KVM_TDX_GET_CPUID. */
final class CpuidCommands {
    private final TdxVm td;

    CpuidCommands(TdxVm td) {
        this.td = td;
    }

    static IoctlResult capabilities(int flags, long entries) {
        if (flags != 0) {
            return TdxVm.invalid("tdx_get_capabilities: flags must be 0");
        }
        if (entries < CpuidConfig.ALL.size()) {
            return new IoctlResult.Err(
                    Errno.E2BIG, "init_kvm_tdx_caps: there are more configurable CPUID leaves", Map.of("nent", (long)
                            CpuidConfig.ALL.size()));
        }
        var details = new LinkedHashMap<String, Object>();
        details.put("supported_attrs", InitVmCommand.SUPPORTED_ATTRIBUTES);
        details.put("supported_xfam", InitVmCommand.SUPPORTED_XFAM);
        details.put("nent", (long) CpuidConfig.ALL.size());
        return new IoctlResult.Ok(0, details);
    }

    IoctlResult get(Vcpu vcpu, int flags, long entries) {
        if (flags != 0 || td.hkid() < 0 || td.state() == TdxVm.State.RUNNABLE || !td.vcpuInitialised(vcpu)) {
            return TdxVm.invalid("tdx_vcpu_get_cpuid: flags, or not between KVM_TDX_INIT_VCPU and KVM_TDX_FINALIZE_VM");
        }
        if (entries < CpuidConfig.ALL.size()) {
            return IoctlResult.err(Errno.E2BIG, "tdx_vcpu_get_cpuid: there are more leaves");
        }
        var leaves = new ArrayList<Map<String, ?>>();
        for (CpuidConfig config : CpuidConfig.ALL) {
            long low = field(config.fieldId());
            long high = field(config.fieldId() + 1);
            var leaf = new LinkedHashMap<String, Object>();
            leaf.put("function", Integer.toUnsignedLong(config.leaf()));
            leaf.put("index", (long) Math.max(0, config.subleaf()));
            leaf.put("eax", low & 0xffff_ffffL);
            leaf.put("ebx", low >>> 32);
            leaf.put("ecx", high & 0xffff_ffffL);
            leaf.put("edx", high >>> 32);
            leaves.add(leaf);
        }
        return new IoctlResult.Ok(0, Map.of("cpuid", leaves));
    }

    private long field(long id) {
        return td.host()
                .seamcall(0, "TDH.MNG.RD", SeamcallRegs.of(11, td.tdr(), id))
                .r8();
    }
}
