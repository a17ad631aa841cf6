package kvasir.kvm.tdx;

import java.util.Map;
import java.util.Optional;
import kvasir.kvm.Check;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.tdx.InitVm.CpuidEntry;
import kvasir.metal.memory.PhysicalMemory;
import kvasir.metal.tdx.CpuidConfig;
import kvasir.metal.tdx.SeamcallRegs;
import kvasir.metal.tdx.Status;
import kvasir.metal.tdx.Tdr;

/** KVM_TDX_INIT_VM: tdx_td_init, setup_tdparams, __tdx_td_init. */
final class InitVmCommand {
    private static final int MAX_CPUID_ENTRIES = 256;
    static final long SUPPORTED_ATTRIBUTES = 1L << 28;
    static final long SUPPORTED_XFAM = 0x6dbe7;
    private static final long XFAM_FIXED1 = 3;
    static final int CPUID_7_TSX_EBX = 1 << 4 | 1 << 11;
    static final int CPUID_7_WAITPKG_ECX = 1 << 5;
    static final int WIDTH_LEAF = 0x80000008;
    private static final long NO_RBP_MOD = 4;
    private static final int TSC_1GHZ = 40;

    private final TdxVm td;
    private final TdxHost host;
    private final InitVm init;
    private int width;

    InitVmCommand(TdxVm td, InitVm init) {
        this.td = td;
        this.host = td.host();
        this.init = init;
    }

    IoctlResult run(int flags) {
        return check(flags).or(this::checkParameters).orElseGet(this::create);
    }

    private Optional<IoctlResult> check(int flags) {
        if (td.state() != TdxVm.State.UNINITIALIZED) {
            return refuse(Check.TDX_INIT_STATE, "the TD is initialised already");
        }
        if (flags != 0) {
            return refuse(Check.TDX_INIT_FLAGS, "flags must be 0");
        }
        if (init.cpuid().size() > MAX_CPUID_ENTRIES) {
            return refuse(Check.TDX_INIT_NENT, "more than 256 CPUID entries");
        }
        if (td.vm().copyFaults()) {
            return refuse(Check.TDX_INIT_COPY, "copy_from_user of struct kvm_tdx_init_vm");
        }
        if (init.reserved() != 0) {
            return refuse(Check.TDX_INIT_RESERVED, "reserved words must be 0");
        }
        if (init.padding() != 0) {
            return refuse(Check.TDX_INIT_PADDING, "cpuid.padding must be 0");
        }
        if (td.vm().slabFails()) {
            return refuse(Check.TDX_INIT_PARAMS, "kzalloc of TD_PARAMS");
        }
        return td.vm().vcpus().isEmpty() && !td.vm().vcpuCreationInProgress()
                ? Optional.empty()
                : refuse(Check.TDX_INIT_VCPUS, "setup_tdparams, a vCPU was created already");
    }

    private static Optional<IoctlResult> refuse(Check check, String reason) {
        return Optional.of(check.refuse("tdx_td_init: " + reason));
    }

    /** setup_tdparams. */
    private Optional<IoctlResult> checkParameters() {
        if ((init.attributes() & ~SUPPORTED_ATTRIBUTES) != 0) {
            return refuse(
                    Check.TDX_INIT_ATTRIBUTES, "attributes 0x%x are not supported by KVM".formatted(init.attributes()));
        }
        if ((init.xfam() & ~SUPPORTED_XFAM) != 0 || (init.xfam() & XFAM_FIXED1) != XFAM_FIXED1) {
            return refuse(Check.TDX_INIT_XFAM, "xfam 0x%x is not supported".formatted(init.xfam()));
        }
        Optional<CpuidEntry> size = init.cpuid().stream()
                .filter(entry -> entry.function() == WIDTH_LEAF)
                .findFirst();
        if (size.isEmpty()) {
            return refuse(Check.TDX_INIT_NO_WIDTH, "CPUID 0x80000008 is missing");
        }
        width = size.get().eax() >>> 16 & 0xff;
        if (width != 48 && width != 52) {
            return refuse(
                    Check.TDX_INIT_WIDTH,
                    "guest address width in CPUID 0x80000008 EAX[23:16] is %d, not 48 or 52".formatted(width));
        }
        if (width == 52 && !td.vm().kvm().host().fiveLevels()) {
            return refuse(Check.TDX_INIT_LEVELS, "52-bit guest addresses need five levels of EPT");
        }
        for (CpuidEntry entry : init.cpuid()) {
            if (entry.function() == 7
                    && entry.index() == 0
                    && ((entry.ebx() & CPUID_7_TSX_EBX) != 0 || (entry.ecx() & CPUID_7_WAITPKG_ECX) != 0)) {
                return refuse(Check.TDX_INIT_UNSUPPORTED, "TSX and WAITPKG are not supported");
            }
            if (configIndex(entry) < 0) {
                return refuse(
                        Check.TDX_INIT_LEAF,
                        "CPUID leaf 0x%x, %d is not configurable".formatted(entry.function(), entry.index()));
            }
        }
        return Optional.empty();
    }

    private static int configIndex(CpuidEntry entry) {
        for (int i = 0; i < CpuidConfig.ALL.size(); i++) {
            CpuidConfig config = CpuidConfig.ALL.get(i);
            if (config.leaf() == entry.function() && (config.subleaf() < 0 || config.subleaf() == entry.index())) {
                return i;
            }
        }
        return -1;
    }

    private IoctlResult create() {
        int hkid = host.allocateHkid();
        if (hkid < 0) {
            return Check.TDX_INIT_HKID.refuse("__tdx_td_init: no free HKID");
        }
        long tdr = host.allocatePage();
        if (tdr < 0) {
            host.freeHkid(hkid);
            return Check.TDX_INIT_MEMORY.refuse("__tdx_td_init: no page for the TDR");
        }
        long status = call("TDH.MNG.CREATE", SeamcallRegs.of(9, tdr, hkid)).rax();
        if (status != 0) {
            host.freePage(tdr);
            host.freeHkid(hkid);
            return entropyOr("TDH.MNG.CREATE", status);
        }
        td.created(tdr, hkid);
        for (int cpu = 0; cpu < host.packages(); cpu++) {
            status = host.seamcall(cpu, "TDH.MNG.KEY.CONFIG", SeamcallRegs.of(8, tdr, 0))
                    .rax();
            if (status != 0) {
                return undo(TdxVm.failed(Check.TDX_INIT_CREATE, "TDH.MNG.KEY.CONFIG", status));
            }
        }
        for (int i = 0; i < Tdr.TDCS_PAGES; i++) {
            long page = host.allocatePage();
            if (page < 0) {
                return undo(Check.TDX_INIT_MEMORY.refuse("__tdx_td_init: no page for the TDCS"));
            }
            status = call("TDH.MNG.ADDCX", SeamcallRegs.of(1, page, tdr)).rax();
            if (status != 0) {
                host.freePage(page);
                return undo(entropyOr("TDH.MNG.ADDCX", status));
            }
            td.addTdcsPage(page);
        }
        return initialise(tdr);
    }

    private IoctlResult initialise(long tdr) {
        long params = host.allocatePage();
        writeParams(params);
        SeamcallRegs out = call("TDH.MNG.INIT", SeamcallRegs.of(21, tdr, params));
        host.freePage(params);
        if (out.rax() != 0) {
            boolean operand = Status.OPERAND_INVALID.is(out.rax());
            return undo(
                    TdxVm.failed(operand ? Check.TDX_INIT_OPERAND : Check.TDX_INIT_REFUSED, "TDH.MNG.INIT", out.rax()));
        }
        call("TDH.MNG.RD", SeamcallRegs.of(11, tdr, 0x111000030000000AL));
        call("TDH.MNG.RD", SeamcallRegs.of(11, tdr, 0x111000030000000BL));
        td.initialised(width);
        return new IoctlResult.Ok(0, Map.of());
    }

    private void writeParams(long hpa) {
        PhysicalMemory memory = td.vm().kvm().memory();
        memory.write64(hpa, init.attributes());
        memory.write64(hpa + 8, init.xfam());
        memory.write16(hpa + 16, (short) host.cpus());
        memory.write64(hpa + 24, 6 | (width == 52 ? 4 : 3) << 3);
        memory.write64(hpa + 32, (td.rbpMod() ? 0 : NO_RBP_MOD) | (width == 52 ? 1 : 0));
        memory.write16(hpa + 40, (short) TSC_1GHZ);
        memory.write(hpa + 80, init.mrconfigid().toArray(), 0, 48);
        memory.write(hpa + 128, init.mrowner().toArray(), 0, 48);
        memory.write(hpa + 176, init.mrownerconfig().toArray(), 0, 48);
        for (CpuidEntry entry : init.cpuid()) {
            long values = hpa + 256 + 16L * configIndex(entry);
            memory.write32(values, entry.function() == WIDTH_LEAF ? 0 : entry.eax());
            memory.write32(values + 4, entry.ebx());
            memory.write32(values + 8, entry.ecx());
            memory.write32(values + 12, entry.edx());
        }
    }

    private IoctlResult undo(IoctlResult result) {
        td.release();
        return result;
    }

    private static IoctlResult entropyOr(String leaf, long status) {
        return TdxVm.failed(
                Status.RND_NO_ENTROPY.is(status) ? Check.TDX_INIT_ENTROPY : Check.TDX_INIT_CREATE, leaf, status);
    }

    private SeamcallRegs call(String leaf, SeamcallRegs in) {
        return host.seamcall(0, leaf, in);
    }
}
