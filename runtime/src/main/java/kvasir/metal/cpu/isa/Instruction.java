package kvasir.metal.cpu.isa;

import java.util.List;

/**
 * A decoded instruction.
 *
 * @param encoding its row
 * @param length bytes, prefixes included
 * @param operandSize 2, 4 or 8
 * @param addressSize 2, 4 or 8
 * @param lock has a LOCK prefix (legal here)
 * @param repeat 0, 0xf3 (REP, REPE) or 0xf2 (REPNE): the last of these prefixes
 * @param segment segment register of memory operands without their own: DS, or the override
 * @param operands as the row's specs
 * @param modrm the ModRM byte, or -1
 */
public record Instruction(
        Encoding encoding,
        int length,
        int operandSize,
        int addressSize,
        boolean lock,
        int repeat,
        int segment,
        List<Operand> operands,
        int modrm)
        implements Decoded {
    /** The operand at {@code index}. */
    public Operand operand(int index) {
        return operands.get(index);
    }

    /** The mnemonic in upper case. */
    public String mnemonic() {
        return encoding.mnemonic();
    }
}
