package kvasir.vmm;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import kvasir.kvm.FaultInjection;
import kvasir.kvm.IoctlResult;
import kvasir.kvm.Vcpu;
import kvasir.kvm.mm.Mm;
import kvasir.kvm.tdx.MemRegion;
import kvasir.kvm.tdx.TdxCmd;
import kvasir.kvm.tdx.TdxVm;
import kvasir.metal.tdx.Tdvps;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Arguments;
import kvasir.registry.Bytes;
import kvasir.registry.Guest;
import kvasir.registry.Outcome;
import kvasir.registry.Range;

/** A vCPU of a TD as scripts hold it. */
final class TdVcpuHandle extends VcpuHandle {
    static final Api<TdVcpuHandle> API = declareTd(
                    declare(Api.of("td vcpu", TdVcpuHandle.class, "A virtual processor of a TD.")))
            .build();

    private static final int MEASURE = 1;

    /** Size of struct kvm_tdx_init_mem_region. */
    private static final int REGION_BYTES = 24;

    private final TdxVm td;

    TdVcpuHandle(Machine machine, Vcpu vcpu, TdxVm td) {
        super(machine, vcpu);
        this.td = td;
    }

    private static Api.Builder<TdVcpuHandle> declareTd(Api.Builder<TdVcpuHandle> api) {
        return api.operation(
                        "init",
                        List.of(
                                VmHandle.keyword("rcx", Kind.U64, "", "what the guest finds in RCX and R8"),
                                VmHandle.keyword("flags", Kind.U64, "", "must be 0"),
                                hwError()),
                        "KVM_TDX_INIT_VCPU: TDH.VP.CREATE, VP.ADDCX, VP.INIT. Errors: EFAULT; EINVAL, also before "
                                + "`set_cpuid` told of x2APIC; ENOMEM, EIO.",
                        "td.vcpu0.init rcx 0x809000",
                        (v, a) ->
                                v.td.initVcpu(v.vcpu(), a.u64("rcx", 0), cmd(a)).outcome())
                .operation(
                        "get_cpuid",
                        List.of(
                                VmHandle.keyword("nent", Kind.U64, "", "room for entries; 256 if left out"),
                                VmHandle.keyword("flags", Kind.U64, "", "not looked at"),
                                hwError()),
                        "KVM_TDX_GET_CPUID; detail `cpuid` is a list. Errors: EFAULT, EINVAL, E2BIG.",
                        "show td.vcpu0.get_cpuid",
                        (v, a) -> v.td.getCpuid(v.vcpu(), cmd(a), a.u64("nent", 256))
                                .outcome())
                .operation(
                        "init_mem_region",
                        List.of(
                                Parameter.of("range", Kind.RANGE, "bytes", "guest physical addresses"),
                                VmHandle.keyword("from", Kind.BYTES, "", "content; filled with zeros up to the size"),
                                VmHandle.keyword("source", Kind.U64, "bytes", "source_addr as it stands, an hva"),
                                VmBuilder.flag("measure", "KVM_TDX_MEASURE_MEMORY_REGION"),
                                VmHandle.keyword("flags", Kind.U64, "", "the command's flags as they stand"),
                                hwError()),
                        "KVM_TDX_INIT_MEM_REGION. Details: `left` pages not done, `gpa` where it stopped, `hw_error` if "
                                + "the module refused. sean: verifies that map_memory has filled the mirror, then adds. "
                                + "6.16: maps, then adds. 6.19: adds while mapping. Errors: EINVAL, EFAULT, ENOMEM, EEXIST "
                                + "(6.16), EOPNOTSUPP (6.19, no source), EBUSY, EINTR, EIO; ENOENT and EAGAIN (sean).",
                        "td.vcpu0.init_mem_region 0 .. 2M from file(\"firmware.bin\") measure",
                        (v, a) -> v.initMemRegion(a))
                .operation(
                        "memory_encrypt_op",
                        List.of(
                                Parameter.of("id", Kind.U64, "", "of struct kvm_tdx_cmd"),
                                VmHandle.keyword("flags", Kind.U64, "", "of struct kvm_tdx_cmd"),
                                VmHandle.keyword("data", Kind.U64, "", "of struct kvm_tdx_cmd"),
                                hwError()),
                        "KVM_MEMORY_ENCRYPT_OP on the vCPU, by number: 2 INIT_VCPU with `data` as RCX, "
                                + "3 INIT_MEM_REGION with `data` the hva of the struct, 5 GET_CPUID; EINVAL for any other.",
                        "td.vcpu0.memory_encrypt_op 1 -> EINVAL",
                        (v, a) -> v.memoryEncryptOp(a).outcome())
                .operation(
                        "add_guest",
                        List.of(
                                Parameter.of("guest", Kind.GUEST, "", "an asm64 program"),
                                Parameter.of("at", Kind.U64, "bytes", "gpa of its first byte, below 4 GiB")
                                        .asKeyword()),
                        "KVM_TDX_INIT_MEM_REGION, measured, of the program and of a firmware of two parts that takes a "
                                + "vCPU from the TD reset state to it: a page at 0xfffff000, and five pages behind the "
                                + "program (page tables, GDT, stack). Linear addresses from 512G on are shared memory.",
                        "td.vcpu0.add_guest probe at 1M",
                        (v, a) -> v.addGuest(a.get("guest", Guest.class), a.u64("at")))
                .property(
                        "tdvpr",
                        "u64",
                        "Host address of the TDVPR; 0 before `init`.",
                        "show td.vcpu0.tdvpr",
                        v -> v.td.vcpuState(v.vcpu().id()).map(Tdvps::hpa).orElse(0L))
                .property(
                        "tdvps",
                        "record",
                        "Fields of the TDVPS: state, index, associated LP, epoch, guest registers.",
                        "show td.vcpu0.tdvps",
                        TdVcpuHandle::tdvps);
    }

    private static Parameter hwError() {
        return VmHandle.keyword("hw_error", Kind.U64, "", "of kvm_tdx_cmd; must be 0");
    }

    /** Flags and hw_error as the arguments say. */
    static TdxCmd cmd(Arguments a) {
        return new TdxCmd((int) a.u64("flags", 0), a.u64("hw_error", 0));
    }

    private IoctlResult memoryEncryptOp(Arguments a) {
        long id = a.u64("id");
        long data = a.u64("data", 0);
        return switch (Math.clamp(id, -1, Integer.MAX_VALUE)) {
            case 2 -> td.initVcpu(vcpu(), data, cmd(a));
            case 3 -> initMemRegion(data, cmd(a));
            case 5 -> td.getCpuid(vcpu(), cmd(a), 256);
            default -> td.unknownVcpuCommand(vcpu(), cmd(a), id);
        };
    }

    /** The struct is read from the VMM's memory and written back. */
    private IoctlResult initMemRegion(long hva, TdxCmd cmd) {
        Mm mm = vcpu().vm().mm();
        var bytes = new byte[REGION_BYTES];
        if (!mm.read(hva, bytes, 0, REGION_BYTES)) {
            vcpu().vm().kvm().faults().arm(FaultInjection.Kind.USERCOPY, 1);
        }
        ByteBuffer struct = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        var region = new MemRegion(struct.getLong(0), struct.getLong(8), struct.getLong(16));
        IoctlResult result = td.initMemRegion(vcpu(), region, cmd);
        struct.putLong(0, region.sourceAddr()).putLong(8, region.gpa()).putLong(16, region.nrPages());
        mm.write(hva, bytes, 0, REGION_BYTES);
        return result;
    }

    private Outcome initMemRegion(Arguments a) {
        Range range = a.range("range");
        long pages = range.size() >>> 12;
        Mm mm = vcpu().vm().mm();
        var cmd = new TdxCmd((int) a.u64("flags", a.flag("measure") ? MEASURE : 0), a.u64("hw_error", 0));
        long mapped = 0;
        long source = a.u64("source", 0);
        Optional<Bytes> content = a.optional("from", Bytes.class);
        if (content.isPresent() && pages > 0 && pages <= 1 << 20) {
            if (content.get().length() > range.size()) {
                return new Outcome.Failed(
                        "EINVAL",
                        "the content is %d bytes, the range %d"
                                .formatted(content.get().length(), range.size()),
                        Map.of());
            }
            mapped = mm.mmap(Optional.empty(), 0, pages, Mm.anonymous(false));
            mm.write(mapped, content.get().toArray(), 0, content.get().length());
            source = mapped;
        }
        IoctlResult result = td.initMemRegion(vcpu(), new MemRegion(source, range.start(), pages), cmd);
        vcpu().takeSignal();
        if (mapped != 0) {
            mm.munmap(mapped, mapped + (pages << 12));
        }
        return result.outcome();
    }

    private Outcome addGuest(Guest guest, long at) {
        if (guest.bits() != 64) {
            return new Outcome.Failed("EINVAL", "add_guest takes an asm64 program", Map.of());
        }
        return TdFirmware.add(td, vcpu(), guest, at).outcome();
    }

    private Map<String, ?> tdvps() {
        var fields = new LinkedHashMap<String, Object>();
        td.vcpuState(vcpu().id()).ifPresent(state -> {
            fields.put("state", state.state().name());
            fields.put("index", (long) state.index());
            fields.put("lp", (long) state.assocLpid());
            fields.put("epoch", state.vcpuEpoch());
            fields.put("rbx", state.gpr(3));
            fields.put("rcx", state.gpr(1));
            fields.put("rdx", state.gpr(2));
            fields.put("rsi", state.gpr(6));
            fields.put("r8", state.gpr(8));
            fields.put("rsp", state.gpr(4));
            fields.put("rip", state.rip());
            fields.put("cr0", state.cr0());
            fields.put("cr3", state.cr3());
            fields.put("cr4", state.cr4());
        });
        return fields;
    }

    @Override
    public Api<?> api() {
        return API;
    }
}
