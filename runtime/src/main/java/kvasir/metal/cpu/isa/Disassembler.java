package kvasir.metal.cpu.isa;

import java.util.Locale;
import java.util.Optional;

/** Instructions to Intel syntax, as {@link AssemblyText} reads it. */
public final class Disassembler {
    private static final String[] SEGMENTS = {"es", "cs", "ss", "ds", "fs", "gs"};

    private Disassembler() {}

    /**
     * One line: {@code mov qword [rbx+rcx*4+0x10], rax}.
     *
     * @param address of the instruction, from which branch targets are computed
     */
    public static String text(Instruction instruction, long address) {
        var text = new StringBuilder();
        Encoding row = instruction.encoding();
        if (instruction.lock()) {
            text.append("lock ");
        }
        if (instruction.repeat() != 0 && row.is("rep")) {
            boolean compares =
                    row.mnemonic().startsWith("CMPS") || row.mnemonic().startsWith("SCAS");
            text.append(instruction.repeat() == 0xf2 ? "repne " : compares ? "repe " : "rep ");
        }
        text.append(row.mnemonic().toLowerCase(Locale.ROOT));
        String separator = " ";
        for (Operand operand : instruction.operands()) {
            text.append(separator).append(operand(instruction, operand, address));
            separator = ", ";
        }
        return text.toString();
    }

    private static String operand(Instruction instruction, Operand operand, long address) {
        return switch (operand) {
            case Operand.Reg reg -> reg.register().name();
            case Operand.Imm imm -> hex(imm.value() & mask(imm.bytes()));
            case Operand.Rel rel -> {
                long target = address + instruction.length() + rel.displacement();
                yield hex(target & (instruction.operandSize() == 2 ? 0xffff : mask(instruction.operandSize())));
            }
            case Operand.Far far -> hex(far.selector()) + ":" + hex(far.offset());
            case Operand.Mem mem -> memory(mem, Optional.empty());
            case Operand.Vsib vsib -> memory(vsib.memory(), Optional.of(vsib.index()));
        };
    }

    private static String memory(Operand.Mem mem, Optional<Register> vectorIndex) {
        var inside = new StringBuilder();
        mem.base()
                .ifPresent(b ->
                        inside.append(Register.general(mem.addressBytes(), b).name()));
        vectorIndex
                .or(() -> mem.index().map(i -> Register.general(mem.addressBytes(), i)))
                .ifPresent(i -> inside.append(inside.isEmpty() ? "" : "+")
                        .append(i.name())
                        .append(
                                mem.scale() > 1
                                                || inside.isEmpty()
                                                || mem.base().isEmpty()
                                        ? "*" + mem.scale()
                                        : ""));
        if (mem.relative()) {
            inside.append("rip");
        }
        long displacement = mem.displacement();
        if (inside.isEmpty()) {
            inside.append(hex(displacement & mask(mem.addressBytes())));
        } else if (displacement != 0) {
            inside.append(displacement < 0 ? "-" : "+").append(hex(Math.abs(displacement)));
        }
        boolean stack =
                mem.base().isPresent() && (mem.base().get() == 4 || mem.base().get() == 5);
        String usual = stack ? "ss" : "ds";
        String segment = SEGMENTS[mem.segment()].equals(usual) ? "" : SEGMENTS[mem.segment()] + ":";
        return size(mem.bytes()) + segment + "[" + inside + "]";
    }

    private static String size(int bytes) {
        return switch (bytes) {
            case 1 -> "byte ";
            case 2 -> "word ";
            case 4 -> "dword ";
            case 6 -> "fword ";
            case 8 -> "qword ";
            case 10 -> "tword ";
            case 16 -> "xmmword ";
            case 32 -> "ymmword ";
            default -> "";
        };
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }

    private static long mask(int bytes) {
        return bytes == 8 ? -1 : (1L << (8 * bytes)) - 1;
    }
}
