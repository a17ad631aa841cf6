package kvasir.vmm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import kvasir.kvm.GuestDebug;
import kvasir.kvm.MsrTable;
import kvasir.kvm.RunResult;
import kvasir.metal.cpu.Cpu;
import kvasir.metal.cpu.DescriptorTable;
import kvasir.metal.cpu.Segment;
import kvasir.metal.cpu.VmExit;
import kvasir.registry.Api;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Arguments;
import kvasir.registry.Outcome;

/** What a vCPU offers to whoever debugs the guest: stepping, breakpoints, disassembly, system registers, the TLB. */
final class VcpuDebug {
    private static final List<String> SEGMENTS = List.of("es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr");

    private static final int MOST_LINES = 4096;

    private VcpuDebug() {}

    static <T extends VcpuHandle> Api.Builder<T> declare(Api.Builder<T> api) {
        return declareSystemRegisters(declareGuestDebug(declareBreakpoints(declareSteps(api))));
    }

    private static Parameter budget() {
        return VmHandle.keyword("budget", Kind.U64, "instructions", "more than that without an exit is an error");
    }

    private static <T extends VcpuHandle> Api.Builder<T> declareSteps(Api.Builder<T> api) {
        return api.operation(
                        "step",
                        List.of(VmHandle.keyword("count", Kind.U64, "instructions", "how many; 1 without it")),
                        "Runs one instruction, or one iteration of a repeated string instruction; the guest cannot tell. "
                                + "Details: `rip`, `next` the instruction there. Ends with the exit if one comes first.",
                        "plain.vcpu0.step count 3",
                        VcpuDebug::step)
                .operation(
                        "run_until",
                        List.of(
                                Parameter.of("address", Kind.U64, "bytes", "linear address of an instruction"),
                                budget()),
                        "Runs until the instruction at that address is the next one. Ends with the exit if one comes first.",
                        "plain.vcpu0.run_until 1M + 0x20",
                        VcpuDebug::runUntil)
                .property(
                        "disassembly",
                        "string",
                        "The instruction at CS:RIP. Nothing is mapped for it: until the guest has run there it is not mapped.",
                        "assert plain.vcpu0.disassembly == \"hlt\"",
                        v -> v.cpu().disassembly())
                .operation(
                        "disassemble",
                        List.of(
                                VmHandle.keyword("at", Kind.U64, "bytes", "offset in CS; RIP without it"),
                                VmHandle.keyword(
                                        "count", Kind.U64, "instructions", "how many, at most 4096; 8 without it")),
                        "Instructions as text, with their offsets in CS.",
                        "show plain.vcpu0.disassemble count 4",
                        VcpuDebug::disassemble)
                .property(
                        "translations",
                        "record",
                        "Regions of hot code that were translated, dropped, and live; the numbers depend on the host's pace.",
                        "show plain.vcpu0.translations",
                        VcpuDebug::translations)
                .property(
                        "tlb",
                        "list of record",
                        "Translations that the software TLB holds: linear page, privilege, rights.",
                        "show plain.vcpu0.tlb",
                        v -> v.cpu().tlb().stream().map(VcpuDebug::cached).toList());
    }

    private static Map<String, ?> translations(VcpuHandle v) {
        Cpu.Translations count = v.cpu().translations();
        var fields = new LinkedHashMap<String, Object>();
        fields.put("made", count.made());
        fields.put("dropped", count.dropped());
        fields.put("living", (long) count.living());
        return fields;
    }

    private static <T extends VcpuHandle> Api.Builder<T> declareBreakpoints(Api.Builder<T> api) {
        return api.operation(
                        "break_at",
                        List.of(Parameter.of("address", Kind.U64, "bytes", "linear address of an instruction")),
                        "`run` ends with BREAK whenever that instruction is the next one; the guest cannot tell. Any number "
                                + "may be set. EINVAL for a guest whose state is protected.",
                        "plain.vcpu0.break_at 1M + 0x20",
                        (v, a) -> {
                            if (isProtected(v)) {
                                return refused();
                            }
                            v.cpu().breakAt(a.u64("address", 0));
                            return Outcome.ok();
                        })
                .operation(
                        "watch",
                        List.of(
                                Parameter.of("address", Kind.U64, "bytes", "linear address"),
                                VmHandle.keyword("size", Kind.U64, "bytes", "how many from there; 1 without it"),
                                VmBuilder.flag("reads", "reads count too, not only writes")),
                        "`run` ends with WATCH behind an instruction that wrote there; the guest cannot tell. Any number may "
                                + "be set. EINVAL for a guest whose state is protected, for no bytes, and beyond 2^64.",
                        "plain.vcpu0.watch 0x2000 size 8",
                        (v, a) -> {
                            if (isProtected(v)) {
                                return refused();
                            }
                            long first = a.u64("address", 0);
                            long last = first + a.u64("size", 1) - 1;
                            if (a.u64("size", 1) == 0 || Long.compareUnsigned(last, first) < 0) {
                                return new Outcome.Failed(
                                        "EINVAL", "there is no address to watch, or it goes beyond 2^64", Map.of());
                            }
                            v.cpu().watch(first, last, a.flag("reads"));
                            return Outcome.ok();
                        })
                .operation(
                        "clear_breaks",
                        List.of(),
                        "Forgets every `break_at` and `watch`.",
                        "plain.vcpu0.clear_breaks",
                        (v, _) -> {
                            v.cpu().forgetBreakpoints();
                            return Outcome.ok();
                        });
    }

    private static <T extends VcpuHandle> Api.Builder<T> declareGuestDebug(Api.Builder<T> api) {
        return api.operation(
                "set_guest_debug",
                List.of(
                        Parameter.of(
                                "control",
                                Kind.U64,
                                "",
                                "1 ENABLE, 2 SINGLESTEP, 0x10000 USE_SW_BP, 0x20000 "
                                        + "USE_HW_BP, 0x40000 INJECT_DB, 0x80000 INJECT_BP, 0x100000 BLOCKIRQ"),
                        VmHandle.keyword("dr0", Kind.U64, "bytes", "arch.debugreg[0]"),
                        VmHandle.keyword("dr1", Kind.U64, "bytes", "arch.debugreg[1]"),
                        VmHandle.keyword("dr2", Kind.U64, "bytes", "arch.debugreg[2]"),
                        VmHandle.keyword("dr3", Kind.U64, "bytes", "arch.debugreg[3]"),
                        VmHandle.keyword("dr7", Kind.U64, "", "arch.debugreg[7]")),
                "KVM_SET_GUEST_DEBUG. `run` then ends with DEBUG; kvm_run tells exception, pc, dr6 and dr7. EINVAL for a guest "
                        + "whose state is protected, EBUSY if an exception is to be injected and one is pending.",
                "plain.vcpu0.set_guest_debug 3",
                (v, a) -> {
                    long[] registers = new long[8];
                    for (int i : new int[] {0, 1, 2, 3, 7}) {
                        registers[i] = a.u64("dr" + i, 0);
                    }
                    return v.vcpu.setGuestDebug((int) a.u64("control", 0), registers)
                            .outcome();
                });
    }

    private static <T extends VcpuHandle> Api.Builder<T> declareSystemRegisters(Api.Builder<T> api) {
        Api.Builder<T> registers = api;
        for (int number : new int[] {0, 1, 2, 3, 6, 7}) {
            registers = registers.property(
                    "dr" + number,
                    "u64",
                    "Debug register of the guest.",
                    "show plain.vcpu0.dr" + number,
                    v -> v.cpu().dr(number),
                    (v, value) -> {
                        v.cpu().setDr(number, (Long) value);
                        return value;
                    });
        }
        for (int i = 0; i < SEGMENTS.size(); i++) {
            int number = i;
            String name = SEGMENTS.get(i);
            registers = registers.property(
                    name,
                    "record",
                    "Segment register with its hidden part: `selector`, `base`, `limit`, `access` (as in a VMCS).",
                    "show plain.vcpu0." + name,
                    v -> record(v.cpu().segment(number)));
        }
        return registers
                .property(
                        "gdtr",
                        "record",
                        "`base` and `limit`.",
                        "show plain.vcpu0.gdtr",
                        v -> record(v.cpu().gdtr()))
                .property(
                        "idtr",
                        "record",
                        "`base` and `limit`.",
                        "show plain.vcpu0.idtr",
                        v -> record(v.cpu().idtr()))
                .operation(
                        "set_segment",
                        List.of(
                                Parameter.of("name", Kind.STRING, "", "es, cs, ss, ds, fs, gs, ldtr, tr, gdtr or idtr"),
                                VmHandle.keyword("selector", Kind.U64, "", "16 bits"),
                                VmHandle.keyword("base", Kind.U64, "bytes", "linear address"),
                                VmHandle.keyword("limit", Kind.U64, "bytes", "offset of the last byte"),
                                VmHandle.keyword("access", Kind.U64, "", "rights as in a VMCS")),
                        "Sets a segment or table register, as KVM_SET_SREGS does; what is not named stays. EINVAL for another "
                                + "name, and for what its register has no bits for.",
                        "plain.vcpu0.set_segment \"ds\" limit 0xffff",
                        VcpuDebug::setSegment)
                .operation(
                        "read_msr",
                        List.of(Parameter.of("index", Kind.U64, "", "MSR number")),
                        "The value of a model-specific register. EINVAL for one that does not exist.",
                        "assert plain.vcpu0.read_msr(0xc0000080) == 0xd00",
                        (v, a) -> {
                            OptionalLong value = v.vcpu.msr((int) a.u64("index", 0));
                            return value.isPresent()
                                    ? (Object) value.getAsLong()
                                    : noMsr("0x" + Long.toHexString(a.u64("index", 0)));
                        })
                .operation(
                        "msr",
                        List.of(Parameter.of("name", Kind.STRING, "", "as the kernel spells it, MSR_ and IA32_ aside")),
                        "The value of a model-specific register by name; `kvs reference msrs` lists them. EINVAL for one that "
                                + "does not exist.",
                        "assert plain.vcpu0.msr(\"EFER\") == 0xd00",
                        (v, a) -> {
                            OptionalLong value = MsrTable.named(a.string("name"))
                                    .map(row -> v.vcpu.msr(row.index()))
                                    .orElse(OptionalLong.empty());
                            return value.isPresent() ? (Object) value.getAsLong() : noMsr(a.string("name"));
                        })
                .operation(
                        "set_msr",
                        List.of(
                                Parameter.of("name", Kind.STRING, "", "as the kernel spells it, MSR_ and IA32_ aside"),
                                Parameter.of("value", Kind.U64, "", "what it becomes")),
                        "Sets a model-specific register by name, as KVM_SET_MSRS does. EINVAL for one that does not exist.",
                        "plain.vcpu0.set_msr \"LSTAR\" 0xffffffff81000000",
                        (v, a) -> MsrTable.named(a.string("name"))
                                        .filter(row -> v.vcpu.setMsr(row.index(), a.u64("value", 0)))
                                        .isPresent()
                                ? Outcome.ok()
                                : noMsr(a.string("name")))
                .operation(
                        "setup_mce",
                        List.of(Parameter.of("cap", Kind.U64, "", "IA32_MCG_CAP: banks in bits 7:0, and capabilities")),
                        "KVM_X86_SETUP_MCE: how many machine-check banks the guest sees. EINVAL for none, more than 32, or a "
                                + "capability that KVM lacks.",
                        "plain.vcpu0.setup_mce 0x100010a",
                        (v, a) -> v.vcpu.setupMce(a.u64("cap", 0)).outcome())
                .operation(
                        "write_msr",
                        List.of(
                                Parameter.of("index", Kind.U64, "", "MSR number"),
                                Parameter.of("value", Kind.U64, "", "what it becomes")),
                        "Sets a model-specific register, as KVM_SET_MSRS does. EINVAL for one that does not exist.",
                        "plain.vcpu0.write_msr 0xc0000082 0xffffffff81000000",
                        (v, a) -> v.vcpu.setMsr((int) a.u64("index", 0), a.u64("value", 0))
                                ? Outcome.ok()
                                : noMsr("0x" + Long.toHexString(a.u64("index", 0))));
    }

    private static Outcome noMsr(String which) {
        return new Outcome.Failed("EINVAL", "no model-specific register " + which, Map.of());
    }

    private static boolean isProtected(VcpuHandle v) {
        return v.vcpu.vm().type().hasProtectedState();
    }

    private static Outcome refused() {
        return new Outcome.Failed("EINVAL", "the guest's state is protected", Map.of());
    }

    private static Outcome step(VcpuHandle v, Arguments a) {
        if (isProtected(v)) {
            return refused();
        }
        for (long i = a.u64("count", 1); i != 0; i--) {
            v.cpu().stepEveryInstruction(true);
            RunResult result = v.vcpu.run(v.machine.config().instructionBudget());
            v.cpu().stepEveryInstruction((v.vcpu.guestDebug().control() & GuestDebug.SINGLESTEP) != 0);
            if (!(result instanceof RunResult.Stopped stopped) || stopped.stop().stop() != VmExit.Stop.STEP) {
                return result.outcome();
            }
        }
        return here(v);
    }

    private static Outcome runUntil(VcpuHandle v, Arguments a) {
        if (isProtected(v)) {
            return refused();
        }
        long address = a.u64("address", 0);
        Cpu cpu = v.cpu();
        boolean ours = cpu.breakAt(address);
        RunResult result = v.vcpu.run(a.u64("budget", v.machine.config().instructionBudget()));
        if (ours) {
            cpu.forgetBreakpoint(address);
        }
        boolean there =
                result instanceof RunResult.Stopped stopped && stopped.stop().linear() == address;
        return there ? here(v) : result.outcome();
    }

    private static Outcome here(VcpuHandle v) {
        var details = new LinkedHashMap<String, Object>();
        details.put("rip", v.cpu().rip());
        details.put("next", v.cpu().disassembly());
        return new Outcome.Ok(details);
    }

    private static Object disassemble(VcpuHandle v, Arguments a) {
        var lines = new ArrayList<Map<String, ?>>();
        long count = a.u64("count", 8);
        int most = Long.compareUnsigned(count, MOST_LINES) < 0 ? (int) count : MOST_LINES;
        for (Cpu.Line line : v.cpu().disassemble(a.u64("at", v.cpu().rip()), most)) {
            var fields = new LinkedHashMap<String, Object>();
            fields.put("rip", line.rip());
            fields.put("text", line.text());
            lines.add(fields);
        }
        return lines;
    }

    private static Map<String, ?> cached(Cpu.TlbEntry entry) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("linear", entry.linear());
        fields.put("privilege", entry.privilege());
        fields.put(
                "rights", (entry.reads() ? "r" : "-") + (entry.writes() ? "w" : "-") + (entry.fetches() ? "x" : "-"));
        return fields;
    }

    private static Map<String, ?> record(Segment segment) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("selector", (long) segment.selector());
        fields.put("base", segment.base());
        fields.put("limit", Integer.toUnsignedLong(segment.limit()));
        fields.put("access", (long) segment.access());
        return fields;
    }

    private static Map<String, ?> record(DescriptorTable table) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("base", table.base());
        fields.put("limit", (long) table.limit());
        return fields;
    }

    private static boolean wider(Arguments a, String parameter, long most) {
        return Long.compareUnsigned(a.u64(parameter, 0), most) > 0;
    }

    private static Outcome setSegment(VcpuHandle v, Arguments a) {
        String name = a.string("name");
        Cpu cpu = v.cpu();
        int number = SEGMENTS.indexOf(name);
        long mostLimit = number >= 0 ? 0xffff_ffffL : 0xffff;
        if (wider(a, "selector", 0xffff) || wider(a, "limit", mostLimit) || wider(a, "access", 0x1_ffff)) {
            return new Outcome.Failed("EINVAL", "a selector, limit or access does not fit its register", Map.of());
        }
        if (number >= 0) {
            Segment old = cpu.segment(number);
            cpu.setSegment(
                    number,
                    new Segment(
                            (int) a.u64("selector", old.selector()),
                            a.u64("base", old.base()),
                            (int) a.u64("limit", old.limit()),
                            (int) a.u64("access", old.access())));
            return Outcome.ok();
        }
        DescriptorTable old = name.equals("gdtr") ? cpu.gdtr() : cpu.idtr();
        var table = new DescriptorTable(a.u64("base", old.base()), (int) a.u64("limit", old.limit()));
        switch (name) {
            case "gdtr" -> cpu.setGdtr(table);
            case "idtr" -> cpu.setIdtr(table);
            default -> {
                return new Outcome.Failed("EINVAL", "no segment register is called " + name, Map.of());
            }
        }
        return Outcome.ok();
    }
}
