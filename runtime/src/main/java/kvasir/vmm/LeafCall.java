package kvasir.vmm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import kvasir.metal.tdx.LeafForm;
import kvasir.metal.tdx.Operand;
import kvasir.metal.tdx.SeamcallRegs;
import kvasir.metal.tdx.Status;
import kvasir.metal.tdx.TdExit;
import kvasir.metal.tdx.TdcallResult;
import kvasir.registry.Api.Kind;
import kvasir.registry.Api.Parameter;
import kvasir.registry.Arguments;
import kvasir.registry.Outcome;

/** A SEAMCALL or TDCALL as scripts write it: a leaf by name, operands by name or by register; and what came back. */
final class LeafCall {
    private static final List<Integer> REGISTERS = List.of(
            Operand.RCX,
            Operand.RDX,
            Operand.R8,
            Operand.R9,
            Operand.R10,
            Operand.R11,
            Operand.R12,
            Operand.R13,
            Operand.R14,
            Operand.R15);

    private LeafCall() {}

    /** What every operation that calls a leaf takes, and more. */
    static List<Parameter> parameters(Parameter... more) {
        var all = new ArrayList<Parameter>();
        all.add(Parameter.of(
                "leaf", Kind.STRING, "", "name in the ABI, \"TDH.MEM.PAGE.ADD\", or a number in quotes, \"42\""));
        all.add(VmHandle.keyword("version", Kind.U64, "", "RAX bits 23:16; 0 if left out"));
        all.add(VmHandle.keyword("rax", Kind.U64, "", "RAX as a whole, past leaf and version"));
        for (String name : LeafForm.operandNames()) {
            all.add(VmHandle.keyword(name, Kind.U64, "", "operand, in the register that the leaf has for it"));
        }
        for (int register : REGISTERS) {
            all.add(VmHandle.keyword(name(register), Kind.U64, "", "register, beside the named operands"));
        }
        all.addAll(List.of(more));
        return all;
    }

    private static String name(int register) {
        return Operand.name(register).toLowerCase(Locale.ROOT);
    }

    /** Calls {@code leaf} with the registers that {@code a} says; EINVAL for a leaf or an operand that there is none of. */
    static Outcome with(Arguments a, UnaryOperator<SeamcallRegs> leaf) {
        return registers(a, regs -> status(leaf.apply(regs)));
    }

    /** The registers that {@code a} says, to {@code call}; EINVAL for a leaf or an operand that there is none of. */
    static Outcome registers(Arguments a, java.util.function.Function<SeamcallRegs, Outcome> call) {
        String name = a.string("leaf");
        var form = LeafForm.of(name);
        long number = form.map(f -> (long) f.number()).orElseGet(() -> number(name));
        if (number < 0) {
            return refused("there is no leaf '" + name + "'");
        }
        SeamcallRegs regs = SeamcallRegs.leaf(a.u64("rax", number | a.u64("version", 0) << 16));
        for (int register : REGISTERS) {
            regs = regs.with(register, a.u64(name(register), 0));
        }
        Map<String, Integer> operands = form.map(LeafForm::registers).orElse(Map.of());
        for (String operand : LeafForm.operandNames()) {
            if (a.has(operand)) {
                Integer register = operands.get(operand);
                if (register == null) {
                    return refused("%s has no operand '%s'; it has %s".formatted(name, operand, operands.keySet()));
                }
                regs = regs.with(register, regs.get(register) | a.u64(operand));
            }
        }
        return call.apply(regs);
    }

    /** {@code a} with this TD's root page where the leaf wants one and the script names none. */
    static Arguments ofTd(Arguments a, long tdr) {
        boolean wanted = LeafForm.of(a.string("leaf"))
                .flatMap(form -> Optional.ofNullable(form.registers().get("tdr")))
                .filter(register -> !a.has("tdr") && !a.has(name(register)))
                .isPresent();
        return wanted ? a.with("tdr", tdr) : a;
    }

    private static long number(String text) {
        try {
            return Long.decode(text) & 0xffff;
        } catch (NumberFormatException _) {
            return -1;
        }
    }

    private static Outcome refused(String why) {
        return new Outcome.Failed("EINVAL", why, Map.of());
    }

    /** A completion status as an outcome: its name, which operand it is about, and the registers. */
    static Outcome status(SeamcallRegs out) {
        var details = new LinkedHashMap<String, Object>();
        if (out.rax() == 0) {
            details.putAll(outputs(out));
            return new Outcome.Ok(details);
        }
        details.put("rax", out.rax());
        if (Status.SUCCESS.is(out.rax())) {
            details.put("reason", out.rax());
            details.putAll(outputs(out));
            return new Outcome.Exit("TD_EXIT", details);
        }
        String described = Status.describe(out.rax());
        int bar = described.indexOf('|');
        if (bar >= 0) {
            details.put("operand", described.substring(bar + 1));
        }
        details.putAll(outputs(out));
        String name = Status.of(out.rax()).map(Status::abiName).orElse("status");
        return new Outcome.Failed(name, described, details);
    }

    /** RCX to R11 always, the others if they hold something. */
    private static Map<String, Object> outputs(SeamcallRegs out) {
        var outputs = new LinkedHashMap<String, Object>();
        for (int register : REGISTERS) {
            if (register <= Operand.R11 || out.get(register) != 0) {
                outputs.put(name(register), out.get(register));
            }
        }
        return outputs;
    }

    /** How a TDCALL ended as an outcome: a status, {@code TD_EXIT} or {@code VE}. */
    static Outcome ended(TdcallResult result) {
        return switch (result) {
            case TdcallResult.Returned(SeamcallRegs regs) -> status(regs);
            case TdcallResult.VirtualizationException(long gpa, long qualification) ->
                new Outcome.Exit("VE", Map.of("gpa", gpa, "qualification", qualification));
            case TdcallResult.Left(TdExit exit) -> new Outcome.Exit("TD_EXIT", fields(exit));
        };
    }

    private static Map<String, ?> fields(TdExit exit) {
        var fields = new LinkedHashMap<String, Object>();
        switch (exit) {
            case TdExit.Vmcall(SeamcallRegs regs) -> {
                fields.put("reason", 77L);
                fields.putAll(outputs(regs));
            }
            case TdExit.EptViolation(long gpa, long qualification, long eeq) -> {
                fields.put("reason", 48L);
                fields.put("gpa", gpa);
                fields.put("qualification", qualification);
                fields.put("eeq", eeq);
            }
            case TdExit.EptMisconfiguration(long gpa) -> {
                fields.put("reason", 49L);
                fields.put("gpa", gpa);
            }
            case TdExit.Asynchronous(int reason, long qualification, long interruption) -> {
                fields.put("reason", (long) reason);
                fields.put("qualification", qualification);
                fields.put("interruption", interruption);
            }
            case TdExit.TripleFault _ -> fields.put("reason", 2L);
            case TdExit.Fatal(Status status) -> fields.put("status", status.abiName());
            case TdExit.HostPriorityTimeout _ -> fields.put("status", Status.HOST_PRIORITY_BUSY_TIMEOUT.abiName());
        }
        return fields;
    }
}
