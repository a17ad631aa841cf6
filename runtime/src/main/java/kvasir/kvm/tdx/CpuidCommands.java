package kvasir.kvm.tdx;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import kvasir.kvm.Check;
import kvasir.kvm.IoctlResult;
import kvasir.metal.tdx.CpuidConfig;
import kvasir.metal.tdx.CpuidRow;
import kvasir.metal.tdx.SeamcallRegs;

/** KVM_TDX_CAPABILITIES and KVM_TDX_GET_CPUID. */
final class CpuidCommands {
    /** TDVMCALLINFO_SETUP_EVENT_NOTIFY_INTERRUPT, which user space may offer to guests. */
    private static final long SETUP_EVENT_NOTIFY_INTERRUPT = 1 << 1;

    /** The leaves that the module has, basic ones first. */
    private static final List<CpuidRow> IN_ORDER = CpuidRow.ALL.stream()
            .sorted(Comparator.comparingLong((CpuidRow row) -> Integer.toUnsignedLong(row.leaf()))
                    .thenComparingInt(CpuidRow::subleaf))
            .toList();

    private final TdxVm td;

    CpuidCommands(TdxVm td) {
        this.td = td;
    }

    IoctlResult capabilities(int flags, long entries) {
        if (flags != 0) {
            return Check.TDX_CAPS_FLAGS.refuse("tdx_get_capabilities: flags must be 0");
        }
        if (td.vm().copyFaults()) {
            return Check.TDX_CAPS_COPY.refuse("tdx_get_capabilities: get_user of nent");
        }
        if (entries < CpuidConfig.ALL.size()) {
            return Check.TDX_CAPS_NENT.refuse(
                    "tdx_get_capabilities: there are more configurable CPUID leaves",
                    Map.of("nent", (long) CpuidConfig.ALL.size()));
        }
        if (td.vm().slabFails()) {
            return Check.TDX_CAPS_MEMORY.refuse("tdx_get_capabilities: kzalloc of the answer");
        }
        var details = new LinkedHashMap<String, Object>();
        details.put("supported_attrs", InitVmCommand.SUPPORTED_ATTRIBUTES);
        details.put("supported_xfam", InitVmCommand.SUPPORTED_XFAM);
        details.put("kernel_tdvmcallinfo_1_r11", 0L);
        details.put("user_tdvmcallinfo_1_r11", SETUP_EVENT_NOTIFY_INTERRUPT);
        details.put("kernel_tdvmcallinfo_1_r12", 0L);
        details.put("user_tdvmcallinfo_1_r12", 0L);
        details.put("nent", (long) CpuidConfig.ALL.size());
        details.put(
                "cpuid", CpuidConfig.ALL.stream().map(CpuidCommands::settable).toList());
        return new IoctlResult.Ok(0, details);
    }

    /** The bits of a leaf that user space may set (td_init_cpuid_entry2). */
    private static Map<String, ?> settable(CpuidConfig config) {
        int eax = config.leaf() == InitVmCommand.WIDTH_LEAF ? config.eax() | 0xff << 16 : config.eax();
        boolean features = config.leaf() == 7 && config.subleaf() == 0;
        int ebx = features ? config.ebx() & ~InitVmCommand.CPUID_7_TSX_EBX : config.ebx();
        int ecx = features ? config.ecx() & ~InitVmCommand.CPUID_7_WAITPKG_ECX : config.ecx();
        return leaf(config.leaf(), config.subleaf(), eax, ebx, ecx, config.edx());
    }

    private static Map<String, ?> leaf(int number, int subleaf, int eax, int ebx, int ecx, int edx) {
        var leaf = new LinkedHashMap<String, Object>();
        leaf.put("function", Integer.toUnsignedLong(number));
        leaf.put("index", (long) Math.max(0, subleaf));
        leaf.put("eax", Integer.toUnsignedLong(eax));
        leaf.put("ebx", Integer.toUnsignedLong(ebx));
        leaf.put("ecx", Integer.toUnsignedLong(ecx));
        leaf.put("edx", Integer.toUnsignedLong(edx));
        return leaf;
    }

    IoctlResult get(long entries) {
        if (td.vm().copyFaults()) {
            return Check.TDX_CPUID_COPY.refuse("tdx_vcpu_get_cpuid: copy_from_user of struct kvm_cpuid2");
        }
        if (entries < CpuidRow.ALL.size()) {
            return Check.TDX_CPUID_NENT.refuse(
                    "tdx_vcpu_get_cpuid: there are more leaves", Map.of("nent", (long) CpuidRow.ALL.size()));
        }
        var leaves = new ArrayList<Map<String, ?>>();
        for (CpuidRow row : IN_ORDER) {
            long low = field(row.fieldId());
            long high = field(row.fieldId() + 1);
            leaves.add(leaf(row.leaf(), row.subleaf(), (int) low, (int) (low >>> 32), (int) high, (int) (high >>> 32)));
        }
        return new IoctlResult.Ok(0, Map.of("cpuid", leaves));
    }

    private long field(long id) {
        return td.host()
                .seamcall(0, "TDH.MNG.RD", SeamcallRegs.of(11, td.tdr(), id))
                .r8();
    }
}
