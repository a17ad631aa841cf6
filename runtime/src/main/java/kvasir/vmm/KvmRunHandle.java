package kvasir.vmm;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import kvasir.event.Topic;
import kvasir.kvm.KvmRun;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Described;
import kvasir.registry.Outcome;

/** {@code vcpu.kvm_run}. */
final class KvmRunHandle implements Described {
    static final Api<KvmRunHandle> API = Api.of(
                    "kvm_run",
                    KvmRunHandle.class,
                    "struct kvm_run and the data page behind it, shared with user space.")
            .property(
                    "exit_reason",
                    "u64",
                    "Offset 8: KVM_EXIT_* number.",
                    "assert plain.vcpu0.kvm_run.exit_reason == 39",
                    k -> (long) k.run.exitReason())
            .property(
                    "reason",
                    "string",
                    "exit_reason by name.",
                    "show plain.vcpu0.kvm_run.reason",
                    k -> k.run.reason().name())
            .property(
                    "flags",
                    "u64",
                    "Offset 14: bit 0 is KVM_RUN_X86_SMM, the vCPU is in SMM.",
                    "show plain.vcpu0.kvm_run.flags",
                    k -> (long) k.run.flags())
            .property(
                    "fields",
                    "record",
                    "The exit's fields by the names of the ABI.",
                    "show plain.vcpu0.kvm_run.fields",
                    k -> k.run.fields())
            .property(
                    "immediate_exit",
                    "bool",
                    "Offset 1: the next KVM_RUN ends with EINTR before it enters the guest.",
                    "plain.vcpu0.kvm_run.immediate_exit = true",
                    k -> k.run.immediateExit(),
                    (k, value) -> {
                        k.run.put8(1, (Boolean) value ? 1 : 0);
                        return value;
                    })
            .property(
                    "request_interrupt_window",
                    "bool",
                    "Offset 0: run ends with IRQ_WINDOW_OPEN as soon as the guest can take an interrupt.",
                    "plain.vcpu0.kvm_run.request_interrupt_window = true",
                    k -> k.run.get8(0) != 0,
                    (k, value) -> {
                        k.run.put8(0, (Boolean) value ? 1 : 0);
                        return value;
                    })
            .property(
                    "ready_for_interrupt_injection",
                    "bool",
                    "Offset 12: the guest can take an interrupt.",
                    "show plain.vcpu0.kvm_run.ready_for_interrupt_injection",
                    k -> k.run.get8(12) != 0)
            .property(
                    "if_flag",
                    "bool",
                    "Offset 13: RFLAGS.IF.",
                    "show plain.vcpu0.kvm_run.if_flag",
                    k -> k.run.get8(13) != 0)
            .property(
                    "cr8",
                    "u64",
                    "Offset 16: CR8, taken over by every run where the local APIC is user space's; it must be below 16.",
                    "plain.vcpu0.kvm_run.cr8 = 1",
                    k -> k.run.get64(16),
                    (k, value) -> {
                        k.run.put64(16, (Long) value);
                        return value;
                    })
            .property(
                    "kvm_valid_regs",
                    "u64",
                    "Offset 288: what run stores behind offset 304: 1 regs (at 304), 2 sregs (448), 4 events (760).",
                    "plain.vcpu0.kvm_run.kvm_valid_regs = 1",
                    k -> k.run.get64(288),
                    (k, value) -> {
                        k.run.put64(288, (Long) value);
                        return value;
                    })
            .property(
                    "kvm_dirty_regs",
                    "u64",
                    "Offset 296: what run takes from there first; then it is 0.",
                    "plain.vcpu0.kvm_run.kvm_dirty_regs = 1",
                    k -> k.run.get64(296),
                    (k, value) -> {
                        k.run.put64(296, (Long) value);
                        return value;
                    })
            .property(
                    "io_data",
                    "u64",
                    "Offset 4096: what OUT wrote, or what IN is to read.",
                    "plain.vcpu0.kvm_run.io_data = 0x60",
                    k -> Integer.toUnsignedLong(k.run.ioData()),
                    (k, value) -> {
                        k.run.setIoData(((Long) value).intValue());
                        return value;
                    })
            .property(
                    "mmio_data",
                    "u64",
                    "Offset 40: what an MMIO write wrote, or what an MMIO read is to see; little-endian.",
                    "plain.vcpu0.kvm_run.mmio_data = 0xbeef",
                    k -> k.run.mmioData(),
                    (k, value) -> {
                        k.run.setMmioData((Long) value);
                        return value;
                    })
            .property(
                    "hypercall_ret",
                    "u64",
                    "Offset 88: what the guest finds in RAX after a HYPERCALL exit.",
                    "plain.vcpu0.kvm_run.hypercall_ret = 0",
                    k -> k.run.hypercallRet(),
                    (k, value) -> {
                        k.run.setHypercallRet((Long) value);
                        return value;
                    })
            .property(
                    "tdx_ret",
                    "u64",
                    "Offset 48: after a TDX exit, what the guest finds in R10.",
                    "td.vcpu0.kvm_run.tdx_ret = 0",
                    k -> k.run.tdxRet(),
                    (k, value) -> {
                        k.run.setTdxRet((Long) value);
                        return value;
                    })
            .property(
                    "tdx_info",
                    "list of u64",
                    "Offsets 64 to 95: after a TDX exit for GetTdVmCallInfo, what the guest finds in R11 to R14.",
                    "td.vcpu0.kvm_run.tdx_info = [2, 0, 0, 0]",
                    k -> IntStream.rangeClosed(1, 4)
                            .<Object>mapToObj(k.run::tdxData)
                            .toList(),
                    KvmRunHandle::setTdxInfo)
            .property(
                    "msr_data",
                    "u64",
                    "Offset 48: what the guest's RDMSR gets after an X86_RDMSR exit, or its WRMSR wrote.",
                    "plain.vcpu0.kvm_run.msr_data = 5",
                    k -> k.run.msrData(),
                    (k, value) -> {
                        k.run.setMsrData((Long) value);
                        return value;
                    })
            .property(
                    "msr_error",
                    "bool",
                    "Offset 32: after an X86_RDMSR or X86_WRMSR exit, whether the guest gets #GP.",
                    "plain.vcpu0.kvm_run.msr_error = true",
                    k -> k.run.msrError(),
                    (k, value) -> {
                        k.run.setMsrError((Boolean) value);
                        return value;
                    })
            .operation(
                    "u64",
                    List.of(Parameter.of("offset", Kind.U64, "bytes", "0 to 12280")),
                    "The 8 bytes at an offset of the ABI.",
                    "assert plain.vcpu0.kvm_run.u64(40) == 1M",
                    (k, a) -> k.wordAt(a.u64("offset")))
            .operation(
                    "write",
                    List.of(
                            Parameter.of("offset", Kind.U64, "bytes", "0 to 12280"),
                            Parameter.of("value", Kind.U64, "", "8 bytes")),
                    "Writes 8 bytes at an offset of the ABI. Errors: EFAULT beyond the mapping.",
                    "plain.vcpu0.kvm_run.write 432 1M",
                    (k, a) -> k.write(a.u64("offset"), a.u64("value")))
            .index("The byte at an offset of the ABI.", "assert plain.vcpu0.kvm_run[1] == 0", (k, key) -> k.byteAt(key))
            .build();

    private final String owner;
    private final KvmRun run;

    KvmRunHandle(String owner, KvmRun run) {
        this.owner = owner;
        this.run = run;
    }

    private static Object setTdxInfo(KvmRunHandle handle, Object value) {
        if (!(value instanceof List<?> words)
                || words.size() != 4
                || !words.stream().allMatch(Long.class::isInstance)) {
            return new Outcome.Failed("EINVAL", "tdx_info takes a list of four numbers: R11 to R14", Map.of());
        }
        for (int i = 0; i < 4; i++) {
            handle.run.setTdxData(1 + i, (Long) words.get(i));
        }
        return value;
    }

    private Object wordAt(long offset) {
        return Long.compareUnsigned(offset, KvmRun.MMAP_BYTES - 8) <= 0
                ? (Object) run.get64((int) offset)
                : new Outcome.Failed("EFAULT", "kvm_run is mapped up to offset 12287", Map.of());
    }

    private Outcome write(long offset, long value) {
        if (Long.compareUnsigned(offset, KvmRun.MMAP_BYTES - 8) > 0) {
            return new Outcome.Failed("EFAULT", "kvm_run is mapped up to offset 12287", Map.of());
        }
        run.put64((int) offset, value);
        return Outcome.ok();
    }

    private Object byteAt(Object key) {
        return key instanceof Long offset && Long.compareUnsigned(offset, KvmRun.MMAP_BYTES) < 0
                ? (Object) (long) run.get8(offset.intValue())
                : new Outcome.Failed("EINVAL", "kvm_run takes an offset from 0 to 12287", Map.of());
    }

    @Override
    public Api<?> api() {
        return API;
    }

    @Override
    public String label() {
        return owner + ".kvm_run";
    }

    @Override
    public Topic topic() {
        return Topic.of(owner, 0, 1);
    }

    @Override
    public Optional<String> picture() {
        var lines = new LinkedHashMap<String, String>();
        lines.put("exit_reason", run.exitReason() + " " + run.reason());
        run.fields()
                .forEach((name, value) -> lines.put(
                        name, value instanceof Long number ? "0x" + Long.toHexString(number) : String.valueOf(value)));
        return Optional.of(Text.table(lines));
    }
}
