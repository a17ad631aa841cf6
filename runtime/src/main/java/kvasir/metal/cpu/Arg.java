package kvasir.metal.cpu;

import kvasir.metal.cpu.isa.Operand;
import kvasir.metal.cpu.isa.Register;

/** An operand ready to be read and written: a general register or part of one, memory, or an immediate. */
final class Arg {
    private static final int REGISTER = 0;
    private static final int MEMORY = 1;
    private static final int IMMEDIATE = 2;

    private static final Address NO_ADDRESS = new Address(
            new Operand.Mem(0, 8, 3, java.util.Optional.empty(), java.util.Optional.empty(), 1, 0, false), 0);

    private final int kind;
    final int bytes;

    /** 64 minus the operand's bits. */
    final int shift;

    /** All ones in the operand's bits. */
    final long mask;

    final int register;
    final int position;
    final long keep;
    final Address address;
    final long immediate;

    Arg(Operand operand, int end) {
        switch (operand) {
            case Operand.Reg(Register reg) -> {
                kind = REGISTER;
                bytes = reg.file().bytes();
                register = reg.number();
                position = reg.file() == Register.File.HIGH ? 8 : 0;
                address = NO_ADDRESS;
                immediate = 0;
            }
            case Operand.Mem mem -> {
                kind = MEMORY;
                bytes = mem.bytes();
                register = 0;
                position = 0;
                address = new Address(mem, end);
                immediate = 0;
            }
            case Operand.Imm imm -> {
                kind = IMMEDIATE;
                bytes = imm.bytes();
                register = 0;
                position = 0;
                address = NO_ADDRESS;
                immediate = imm.value();
            }
            default -> throw new IllegalStateException("operand " + operand);
        }
        shift = 64 - 8 * Math.min(8, bytes);
        mask = bytes == 0 ? 0 : -1L >>> shift;
        keep = bytes >= 4 ? 0 : ~(mask << position);
    }

    /** The bits that a write to a whole register of this operand's size leaves alone. */
    long keepWhole() {
        return bytes >= 4 ? 0 : ~mask;
    }

    boolean inRegister() {
        return kind == REGISTER;
    }

    boolean inMemory() {
        return kind == MEMORY;
    }

    /** Whether it is a whole register read without shifting: not AH, CH, DH, BH. */
    boolean plainRegister() {
        return kind == REGISTER && position == 0;
    }

    /** The value, zero extended (an immediate: sign extended). */
    long load(Cpu c) {
        return switch (kind) {
            case REGISTER -> (c.r[register] >>> position) & mask;
            case MEMORY -> c.mem.load(address.linear(c, bytes, false), bytes);
            default -> immediate;
        };
    }

    /** The value sign extended. */
    long loadSigned(Cpu c) {
        return load(c) << shift >> shift;
    }

    /** The value of an operand that will be written next: a fault is a write fault. */
    long loadForStore(Cpu c) {
        return kind == MEMORY
                ? c.mem.loadForStore(address.linear(c, bytes, true), bytes)
                : (c.r[register] >>> position) & mask;
    }

    /** Writes the low bits of {@code value}; a 32-bit register gets its upper half cleared. */
    void store(Cpu c, long value) {
        if (kind == MEMORY) {
            c.mem.store(address.linear(c, bytes, true), bytes, value);
        } else {
            c.r[register] = c.r[register] & keep | (value & mask) << position;
        }
    }
}
