package kvasir.metal.cpu;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.List;
import java.util.Set;
import kvasir.metal.cpu.isa.Instruction;
import kvasir.metal.cpu.isa.Operand;
import kvasir.metal.cpu.isa.Register;

/**
 * Bytecode for single instructions of 64-bit code that do not end a block. What is not here is executed by the
 * interpreter's own operation. What is here computes what that operation computes: see the file of its family.
 */
final class InstructionTranslator {
    private static final Set<String> NOTHING =
            Set.of("NOP", "PAUSE", "ENDBR64", "ENDBR32", "PREFETCH", "PREFETCHW", "PREFETCHNTA", "PREFETCHT0");
    private static final Set<String> ARITHMETIC =
            Set.of("ADD", "SUB", "ADC", "SBB", "AND", "OR", "XOR", "CMP", "TEST", "INC", "DEC", "NEG", "NOT");
    private static final Set<String> MOVES = Set.of("MOV", "MOVZX", "MOVSX", "MOVSXD", "LEA", "BSWAP", "XCHG");
    private static final Set<String> SHIFTS = Set.of("SHL", "SHR", "SAR");
    private static final Set<String> WIDENINGS = Set.of("CBW", "CWDE", "CDQE", "CWD", "CDQ", "CQO");

    private final RegionEmitter e;
    private final CodeBuilder code;
    private Instruction instruction = Semantics.FILLER;

    /** Offset in the page of the next instruction. */
    private int end;

    InstructionTranslator(RegionEmitter emitter) {
        e = emitter;
        code = emitter.code;
    }

    /** Whether {@link #translate} knows the instruction. */
    static boolean knows(Instruction i) {
        if (i.lock() || !i.operands().stream().allMatch(InstructionTranslator::plain)) {
            return false;
        }
        String name = i.mnemonic();
        if (NOTHING.contains(name) || ARITHMETIC.contains(name) || WIDENINGS.contains(name)) {
            return true;
        }
        if (MOVES.contains(name)) {
            boolean locks = name.equals("XCHG") && memory(i) >= 0;
            boolean wordSwap = name.equals("BSWAP") && i.operandSize() == 2;
            return !locks && !wordSwap;
        }
        if (SHIFTS.contains(name)) {
            return !(i.operand(1) instanceof Operand.Reg) || memory(i) < 0;
        }
        return switch (name) {
            case "IMUL" -> i.operands().size() > 1;
            case "PUSH" -> i.operandSize() == 8 && memory(i) < 0;
            case "POP" -> i.operandSize() == 8 && memory(i) < 0;
            case "LEAVE" -> i.operandSize() == 8;
            default ->
                name.startsWith("SET")
                                && i.operands().size() == 1
                                && i.encoding().forms().equals("r/m8")
                        || name.startsWith("CMOV");
        };
    }

    private static boolean plain(Operand operand) {
        return switch (operand) {
            case Operand.Reg(Register register) -> register.general();
            case Operand.Mem mem -> mem.bytes() <= 8;
            case Operand.Imm imm -> true;
            case Operand.Rel rel -> false;
            case Operand.Far far -> false;
            case Operand.Vsib vsib -> false;
        };
    }

    /** Index of the memory operand; -1 if there is none. */
    static int memory(Instruction i) {
        List<Operand> operands = i.operands();
        for (int k = 0; k < operands.size(); k++) {
            if (operands.get(k) instanceof Operand.Mem) {
                return k;
            }
        }
        return -1;
    }

    /** The general registers that the instruction names or implies, a bit each. */
    static int registers(Instruction i) {
        int used = switch (i.mnemonic()) {
            case "PUSH", "POP", "CALL", "RET" -> 1 << Gpr.RSP;
            case "LEAVE" -> 1 << Gpr.RSP | 1 << Gpr.RBP;
            case "CBW", "CWDE", "CDQE", "CWD", "CDQ", "CQO" -> 1 << Gpr.RAX | 1 << Gpr.RDX;
            default -> 0;
        };
        for (Operand operand : i.operands()) {
            switch (operand) {
                case Operand.Reg(Register register) -> used |= register.general() ? 1 << register.number() : 0;
                case Operand.Mem mem -> {
                    used |= mem.base().map(each -> 1 << each).orElse(0);
                    used |= mem.index().map(each -> 1 << each).orElse(0);
                }
                default -> {}
            }
        }
        return used;
    }

    /** @param instructionEnd offset in the page of the next instruction */
    void translate(Instruction i, int instructionEnd) {
        instruction = i;
        end = instructionEnd;
        String name = i.mnemonic();
        if (NOTHING.contains(name)) {
            return;
        }
        switch (name) {
            case "ADD" -> binary(LazyFlags.ADD);
            case "SUB" -> binary(LazyFlags.SUB);
            case "ADC" -> binary(LazyFlags.ADC);
            case "SBB" -> binary(LazyFlags.SBB);
            case "AND", "OR", "XOR" -> logic(name);
            case "CMP" -> compare();
            case "TEST" -> test();
            case "INC" -> step(LazyFlags.INC);
            case "DEC" -> step(LazyFlags.DEC);
            case "NEG" -> negate();
            case "NOT" -> {
                ready(true);
                e.push(to(), false);
                code.loadConstant(-1L).lxor();
                store();
            }
            case "MOV" -> move();
            case "MOVZX" -> {
                ready(false);
                e.push(from(), true);
                store();
            }
            case "MOVSX", "MOVSXD" -> {
                ready(false);
                e.push(from(), false);
                e.signExtend(bytes(from()));
                store();
            }
            case "LEA" -> {
                e.pushOffset((Operand.Mem) from(), end);
                store();
            }
            case "BSWAP" -> swapBytes();
            case "XCHG" -> {
                e.push(to(), false);
                code.lstore(e.scratch());
                e.push(from(), false);
                store();
                code.lload(e.scratch());
                e.store(from(), bytes(from()));
            }
            case "SHL", "SHR", "SAR" -> shift(name);
            case "IMUL" -> multiply();
            case "CBW" -> widen(1, 2);
            case "CWDE" -> widen(2, 4);
            case "CDQE" -> widen(4, 8);
            case "CWD" -> spread(2);
            case "CDQ" -> spread(4);
            case "CQO" -> spread(8);
            case "PUSH" -> {
                e.push(to(), false);
                code.lstore(e.scratch());
                push();
            }
            case "POP" -> {
                e.pushGeneral(Gpr.RSP);
                e.readStack();
                moveStack(8);
                e.push(RegionEmitter.STACK, false);
                store();
            }
            case "LEAVE" -> {
                e.pushGeneral(Gpr.RBP);
                e.readStack();
                e.pushGeneral(Gpr.RBP);
                code.loadConstant(8L).ladd();
                e.storeGeneral(Gpr.RSP);
                e.push(RegionEmitter.STACK, false);
                e.storeGeneral(Gpr.RBP);
            }
            default -> {
                if (name.startsWith("SET")) {
                    set();
                } else {
                    moveIf();
                }
            }
        }
    }

    private Operand to() {
        return instruction.operand(0);
    }

    private Operand from() {
        return instruction.operand(1);
    }

    static int bytes(Operand operand) {
        return switch (operand) {
            case Operand.Reg(Register register) -> register.file().bytes();
            case Operand.Mem mem -> mem.bytes();
            case Operand.Imm imm -> imm.bytes();
            default -> throw new IllegalStateException("size of " + operand);
        };
    }

    private int bytes() {
        return bytes(to());
    }

    /** Reads the memory operand if there is one; makes it ready for writing if the first operand will be written. */
    private void ready(boolean modifies) {
        int which = memory(instruction);
        if (which < 0) {
            return;
        }
        var mem = (Operand.Mem) instruction.operand(which);
        if (which == 0 && modifies) {
            e.readForWrite(mem, end);
        } else {
            e.read(mem, end);
        }
    }

    private void store() {
        e.store(to(), bytes());
    }

    private void binary(int kind) {
        ready(true);
        boolean carries = kind == LazyFlags.ADC || kind == LazyFlags.SBB;
        if (carries) {
            e.keepCarry();
        }
        e.push(to(), false);
        code.lstore(e.scratch());
        e.push(from(), false);
        e.keepB();
        code.lload(e.scratch());
        e.keepA();
        e.pushA();
        e.pushB();
        if (kind == LazyFlags.ADD || kind == LazyFlags.ADC) {
            code.ladd();
        } else {
            code.lsub();
        }
        if (carries) {
            e.pushCarry();
            if (kind == LazyFlags.ADC) {
                code.ladd();
            } else {
                code.lsub();
            }
        }
        e.keepResult();
        e.flags(kind, bytes());
        e.pushResult();
        store();
    }

    private void logic(String name) {
        ready(true);
        e.push(to(), false);
        e.push(from(), false);
        switch (name) {
            case "AND" -> code.land();
            case "OR" -> code.lor();
            default -> code.lxor();
        }
        e.keepResult();
        e.flags(LazyFlags.LOGIC, bytes());
        e.pushResult();
        store();
    }

    private void compare() {
        ready(false);
        e.push(to(), false);
        e.push(from(), false);
        e.keepB();
        e.keepA();
        e.pushA();
        e.pushB();
        code.lsub();
        e.keepResult();
        e.flags(LazyFlags.SUB, bytes());
    }

    private void test() {
        ready(false);
        e.push(to(), false);
        e.push(from(), false);
        code.land();
        e.keepResult();
        e.flags(LazyFlags.LOGIC, bytes());
    }

    private void step(int kind) {
        ready(true);
        e.keepCarry();
        e.push(to(), false);
        e.keepA();
        e.pushA();
        code.lconst_1();
        if (kind == LazyFlags.INC) {
            code.ladd();
        } else {
            code.lsub();
        }
        e.keepResult();
        e.flags(kind, bytes());
        e.pushResult();
        store();
    }

    private void negate() {
        ready(true);
        e.push(to(), false);
        e.keepB();
        code.lconst_0();
        e.keepA();
        e.pushB();
        code.lneg();
        e.keepResult();
        e.flags(LazyFlags.SUB, bytes());
        e.pushResult();
        store();
    }

    private void move() {
        if (to() instanceof Operand.Mem mem) {
            e.prepareWrite(mem, end);
        } else {
            ready(false);
        }
        e.push(from(), false);
        store();
    }

    private void swapBytes() {
        e.push(to(), true);
        if (bytes() == 8) {
            code.invokestatic(
                    ConstantDescs.CD_Long,
                    "reverseBytes",
                    MethodTypeDesc.of(ConstantDescs.CD_long, ConstantDescs.CD_long));
        } else {
            code.l2i();
            code.invokestatic(
                    ConstantDescs.CD_Integer,
                    "reverseBytes",
                    MethodTypeDesc.of(ConstantDescs.CD_int, ConstantDescs.CD_int));
            code.i2l();
        }
        store();
    }

    private void widen(int from, int to) {
        e.pushGeneral(Gpr.RAX);
        e.signExtend(from);
        e.storeRegister(Register.general(to, Gpr.RAX));
    }

    private void spread(int bytes) {
        e.pushGeneral(Gpr.RAX);
        e.signExtend(bytes);
        code.bipush(63).lshr();
        e.storeRegister(Register.general(bytes, Gpr.RDX));
    }

    /** Pushes the local {@code scratch} on the guest's stack. */
    void push() {
        e.pushGeneral(Gpr.RSP);
        code.loadConstant(8L).lsub();
        e.prepareWriteStack();
        code.lload(e.scratch());
        e.store(RegionEmitter.STACK, 8);
        moveStack(-8);
    }

    void moveStack(long distance) {
        e.pushGeneral(Gpr.RSP);
        code.loadConstant(distance).ladd();
        e.storeGeneral(Gpr.RSP);
    }

    /** A shift; a count in CL may be 0 at run time, and then the flags stay. */
    private void shift(String name) {
        int bytes = bytes();
        int countMask = bytes == 8 ? 63 : 31;
        if (from() instanceof Operand.Imm imm) {
            int count = (int) imm.value() & countMask;
            ready(true);
            pushShifted(name, bytes);
            if (count == 0) {
                store();
            } else {
                shiftBy(name, bytes, () -> code.loadConstant(count));
            }
            return;
        }
        e.settleWords();
        Label none = code.newLabel();
        Label done = code.newLabel();
        Runnable count = () -> {
            e.pushGeneral(Gpr.RCX);
            code.l2i().loadConstant(countMask).iand();
        };
        count.run();
        code.ifeq(none);
        // The count must be taken before a destination that is RCX changes.
        count.run();
        code.i2l().lstore(e.value());
        pushShifted(name, bytes);
        shiftBy(name, bytes, () -> code.lload(e.value()).l2i());
        code.goto_(done);
        code.labelBinding(none);
        e.push(to(), false);
        store();
        code.labelBinding(done);
    }

    private void pushShifted(String name, int bytes) {
        e.push(to(), true);
        if (name.equals("SAR")) {
            e.signExtend(bytes);
        }
    }

    /** Shifts the value on the stack, by not 0. */
    private void shiftBy(String name, int bytes, Runnable count) {
        MethodTypeDesc sized = MethodTypeDesc.of(
                ConstantDescs.CD_long, ConstantDescs.CD_long, ConstantDescs.CD_int, ConstantDescs.CD_int);
        code.lstore(e.scratch());
        code.lload(e.scratch());
        count.run();
        switch (name) {
            case "SHL" -> code.lshl();
            case "SHR" -> code.lushr();
            default -> code.lshr();
        }
        e.keepResult();
        e.pushResult();
        code.loadConstant(64 - 8 * bytes).lshl().loadConstant(64 - 8 * bytes).lshr();
        code.lload(e.scratch());
        count.run();
        switch (name) {
            case "SHL" -> {
                code.loadConstant(bytes);
                e.carryWord("leftShifted", sized);
            }
            case "SHR" -> {
                code.loadConstant(bytes);
                e.carryWord("rightShifted", sized);
            }
            default ->
                e.carryWord(
                        "arithmeticShifted",
                        MethodTypeDesc.of(ConstantDescs.CD_long, ConstantDescs.CD_long, ConstantDescs.CD_int));
        }
        e.flagWords();
        e.pushResult();
        store();
    }

    private void multiply() {
        int bytes = bytes();
        ready(false);
        List<Operand> operands = instruction.operands();
        e.push(operands.get(operands.size() - 2), false);
        e.signExtend(bytes);
        code.lstore(e.scratch());
        e.push(operands.getLast(), false);
        e.signExtend(bytes);
        code.lstore(e.value());
        code.lload(e.scratch()).lload(e.value()).lmul();
        e.keepResult();
        e.pushResult();
        e.signExtend(bytes);
        code.lload(e.scratch()).lload(e.value()).loadConstant(bytes);
        e.carryWord(
                "multiplied",
                MethodTypeDesc.of(
                        ConstantDescs.CD_long, ConstantDescs.CD_long, ConstantDescs.CD_long, ConstantDescs.CD_int));
        e.flagWords();
        e.pushResult();
        store();
    }

    private void set() {
        Label holds = code.newLabel();
        Label done = code.newLabel();
        if (to() instanceof Operand.Mem mem) {
            e.prepareWrite(mem, end);
        }
        e.branchIf(instruction.encoding().condition(), holds);
        code.lconst_0().lstore(e.scratch()).goto_(done);
        code.labelBinding(holds);
        code.lconst_1().lstore(e.scratch());
        code.labelBinding(done);
        code.lload(e.scratch());
        store();
    }

    private void moveIf() {
        Label holds = code.newLabel();
        Label done = code.newLabel();
        ready(false);
        e.branchIf(instruction.encoding().condition(), holds);
        e.push(to(), false);
        code.lstore(e.scratch()).goto_(done);
        code.labelBinding(holds);
        e.push(from(), false);
        code.lstore(e.scratch());
        code.labelBinding(done);
        code.lload(e.scratch());
        store();
    }
}
