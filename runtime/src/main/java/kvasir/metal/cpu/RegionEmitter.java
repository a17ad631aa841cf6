package kvasir.metal.cpu;

import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import kvasir.metal.cpu.isa.Operand;
import kvasir.metal.cpu.isa.Register;

/**
 * Bytecode for the parts of instructions: registers in locals, memory through the TLB, flags that are computed when
 * someone looks. Side exits are collected and written behind everything else.
 */
final class RegionEmitter {
    /** Eight bytes of the stack. */
    static final Operand.Mem STACK =
            new Operand.Mem(8, 8, Segment.SS, Optional.of(Gpr.RSP), Optional.empty(), 1, 0, false);

    static final ClassDesc CPU = ClassDesc.of("kvasir.metal.cpu.Cpu");
    static final ClassDesc OP = ClassDesc.of("kvasir.metal.cpu.Op");
    private static final ClassDesc MEMORY = ClassDesc.of("kvasir.metal.cpu.LinearMemory");
    private static final ClassDesc TLB = ClassDesc.of("kvasir.metal.cpu.Tlb");
    private static final ClassDesc NATIVE = ClassDesc.of("kvasir.metal.memory.NativeMemory");
    private static final ClassDesc LAZY = ClassDesc.of("kvasir.metal.cpu.LazyFlags");
    private static final ClassDesc FLAGS = ClassDesc.of("kvasir.metal.cpu.Flags");
    private static final ClassDesc SYSTEM = ClassDesc.of("kvasir.metal.cpu.SystemState");
    private static final ClassDesc FLOATS = ClassDesc.of("kvasir.metal.cpu.fp.FloatMath");
    private static final ClassDesc LONGS = ConstantDescs.CD_long.arrayType();
    private static final ClassDesc LONG = ConstantDescs.CD_long;
    private static final ClassDesc INT = ConstantDescs.CD_int;
    private static final ClassDesc VOID = ConstantDescs.CD_void;
    private static final ClassDesc BOOLEAN = ConstantDescs.CD_boolean;

    /** The parameters of {@link RegionCode#run}. */
    private static final int C = 1;

    private static final int PAGE = 2;
    private static final int LEFT = 4;

    /** Differs from every address without the bits that select a byte of an aligned operand. */
    private static final long NO_PAGE = 0x800;

    /** No form: {@link #form} holds it at run time. */
    private static final int DYNAMIC = -1;

    final CodeBuilder code;

    /** What the functions of {@code NativeMemory} are called, without the number of bits. */
    private final String load;

    private final String store;
    private final int registers;
    private final int vectors;
    private final int end;
    private final int readTags;
    private final int readDeltas;
    private final int writeTags;
    private final int writeDeltas;
    private final int form;
    private final int a;
    private final int b;
    private final int result;
    private final int carry;
    private final int leaveAt;
    private final int exitAt;
    private final int back;
    private final int address;
    private final int host;
    private final int loaded;
    private final int value;
    private final int scratch;
    private final int[] general = new int[16];
    private final Label leave;
    private final List<Exit> exits = new ArrayList<>();
    private final List<Runnable> aside = new ArrayList<>();

    /** By {@link #place}. */
    private final Map<Integer, LastPage> lastPages = new TreeMap<>();

    /** Locals: the page, or {@link #NO_PAGE}, and what leads from there to its native address. */
    private record LastPage(int page, int delta) {}

    /** What the flags are here, as far as the translator knows: a form of {@link LazyFlags}, or {@link #DYNAMIC}. */
    private int known = DYNAMIC;

    /** The instruction being translated. */
    private int at;

    private int unretired;

    /** A way out before an instruction that has not happened. */
    private record Exit(Label label, int at, int unretired, int known) {}

    /**
     * @param used the general registers that are kept in locals, a bit each
     * @param places the {@link #place}s whose last page is kept in locals
     * @param ordered whether accesses to memory keep x86's order
     */
    RegionEmitter(CodeBuilder code, int used, List<Integer> places, boolean ordered) {
        this.code = code;
        load = ordered ? "acquire" : "get";
        store = ordered ? "release" : "put";
        registers = code.allocateLocal(TypeKind.REFERENCE);
        vectors = code.allocateLocal(TypeKind.REFERENCE);
        end = code.allocateLocal(TypeKind.LONG);
        readTags = code.allocateLocal(TypeKind.REFERENCE);
        readDeltas = code.allocateLocal(TypeKind.REFERENCE);
        writeTags = code.allocateLocal(TypeKind.REFERENCE);
        writeDeltas = code.allocateLocal(TypeKind.REFERENCE);
        form = code.allocateLocal(TypeKind.INT);
        a = code.allocateLocal(TypeKind.LONG);
        b = code.allocateLocal(TypeKind.LONG);
        result = code.allocateLocal(TypeKind.LONG);
        carry = code.allocateLocal(TypeKind.INT);
        leaveAt = code.allocateLocal(TypeKind.LONG);
        exitAt = code.allocateLocal(TypeKind.INT);
        back = code.allocateLocal(TypeKind.INT);
        address = code.allocateLocal(TypeKind.LONG);
        host = code.allocateLocal(TypeKind.LONG);
        loaded = code.allocateLocal(TypeKind.LONG);
        value = code.allocateLocal(TypeKind.LONG);
        scratch = code.allocateLocal(TypeKind.LONG);
        for (int i = 0; i < 16; i++) {
            general[i] = (used >> i & 1) != 0 ? code.allocateLocal(TypeKind.LONG) : -1;
        }
        for (int place : places) {
            lastPages.put(place, new LastPage(code.allocateLocal(TypeKind.LONG), code.allocateLocal(TypeKind.LONG)));
        }
        leave = code.newLabel();
    }

    /** What memory operands have in common that probably are in one page, and whether they are written. */
    static int place(Operand.Mem mem, boolean writes) {
        boolean based = mem.segment() == Segment.FS || mem.segment() == Segment.GS;
        int place = based ? 16 + mem.segment() : mem.base().orElse(16);
        return place << 1 | (writes ? 1 : 0);
    }

    /** Takes the processor's state into locals. */
    void begin() {
        code.aload(C).getfield(CPU, "r", LONGS).astore(registers);
        code.aload(C)
                .getfield(CPU, "sys", SYSTEM)
                .getfield(SYSTEM, "ymm", LONGS)
                .astore(vectors);
        code.lload(LEFT).aload(C).getfield(CPU, "retired", LONG).ladd().lstore(end);
        for (int slot : new int[] {result, leaveAt, address, host, loaded, value, scratch}) {
            code.lconst_0().lstore(slot);
        }
        lastPages.values().forEach(last -> code.lconst_0().lstore(last.delta()));
        code.iconst_0().istore(carry);
        reload();
        code.loadConstant(LazyFlags.SETTLED).istore(form);
    }

    /** Takes registers, flags and the TLB in force from the processor. */
    private void reload() {
        reloadRegisters();
        code.aload(C).getfield(CPU, "flagResult", LONG).lstore(a);
        code.aload(C).getfield(CPU, "flagCarry", LONG).lstore(b);
        known = LazyFlags.SETTLED;
    }

    private void reloadRegisters() {
        for (int i = 0; i < 16; i++) {
            if (general[i] >= 0) {
                code.aload(registers).loadConstant(i).laload().lstore(general[i]);
            }
        }
        code.aload(C).getfield(CPU, "mem", MEMORY).getfield(MEMORY, "tlb", TLB);
        code.dup().getfield(TLB, "readTag", LONGS).astore(readTags);
        code.dup().getfield(TLB, "readDelta", LONGS).astore(readDeltas);
        code.dup().getfield(TLB, "writeTag", LONGS).astore(writeTags);
        code.getfield(TLB, "writeDelta", LONGS).astore(writeDeltas);
        lastPages.values().forEach(last -> code.loadConstant(NO_PAGE).lstore(last.page()));
    }

    /** Gives registers and flags back to the processor. */
    private void spill() {
        for (int i = 0; i < 16; i++) {
            if (general[i] >= 0) {
                code.aload(registers).loadConstant(i).lload(general[i]).lastore();
            }
        }
        settle();
    }

    /** Behind everything: the side exits, then the one way back. */
    void finish() {
        aside.forEach(Runnable::run);
        leaveEarly();
        code.labelBinding(leave);
        known = DYNAMIC;
        spill();
        code.aload(C).lload(leaveAt).putfield(CPU, "ip", LONG);
        code.aload(C).lload(end).lload(LEFT).lsub().putfield(CPU, "retired", LONG);
        code.return_();
    }

    /** Binds the side exits: what they differ in becomes values, so that they share their code. */
    private void leaveEarly() {
        Map<Integer, Label> byFlags = new TreeMap<>();
        for (Exit exit : exits) {
            code.labelBinding(exit.label());
            code.loadConstant(exit.at()).istore(exitAt);
            code.loadConstant(exit.unretired()).istore(back);
            code.goto_(byFlags.computeIfAbsent(exit.known(), flags -> code.newLabel()));
        }
        Label early = code.newLabel();
        byFlags.forEach((flags, label) -> {
            code.labelBinding(label);
            known = flags;
            joinFlags();
            code.goto_(early);
        });
        if (!exits.isEmpty()) {
            code.labelBinding(early);
            code.lload(PAGE).iload(exitAt).i2l().ladd().lstore(leaveAt);
            code.lload(LEFT).iload(back).i2l().ladd().lstore(LEFT);
        }
    }

    /** Begins a block of {@code count} instructions at {@code offset} of the page, if the budget has room for it. */
    void block(Label label, int offset, int count) {
        code.labelBinding(label);
        known = DYNAMIC;
        code.lload(LEFT).loadConstant((long) count).lsub().lstore(LEFT);
        instruction(offset, count);
        code.lload(LEFT).lconst_0().lcmp().iflt(sideExit());
    }

    /**
     * What follows translates the instruction at {@code offset} of the page.
     *
     * @param left instructions of the block from this one on
     */
    void instruction(int offset, int left) {
        at = offset;
        unretired = left;
    }

    /** Where to go if the present instruction cannot happen here; nothing of it must have happened. */
    private Label sideExit() {
        for (Exit exit : exits) {
            if (exit.at() == at && exit.unretired() == unretired && exit.known() == known) {
                return exit.label();
            }
        }
        Label label = code.newLabel();
        exits.add(new Exit(label, at, unretired, known));
        return label;
    }

    /** Leaves before the present instruction. */
    void leaveHere() {
        leave(at, unretired, known);
    }

    /** Leaves to {@code offset} of the page, with all instructions of the block through. */
    void leaveTo(int offset) {
        leave(offset, 0, known);
    }

    private void leave(int offset, int back, int flags) {
        known = flags;
        joinFlags();
        pushIp(offset);
        code.lstore(leaveAt);
        if (back != 0) {
            code.lload(LEFT).loadConstant((long) back).ladd().lstore(LEFT);
        }
        code.goto_(leave);
    }

    /** Leaves to the address in {@link #keepTarget}. */
    void leaveToTarget() {
        code.goto_(leave);
    }

    /** Before a jump within the region: what is known of the flags becomes known at run time. */
    void joinFlags() {
        switch (kind()) {
            case LazyFlags.LOGIC, LazyFlags.ORDER -> code.lload(result).lstore(a);
            case LazyFlags.INC, LazyFlags.DEC -> code.iload(carry).i2l().lstore(b);
            case LazyFlags.ADC, LazyFlags.SBB -> settleWords();
            default -> {}
        }
        if (known != DYNAMIC) {
            code.loadConstant(known).istore(form);
        }
    }

    /** Pushes the linear address of {@code offset} of the page. */
    void pushIp(int offset) {
        code.lload(PAGE).loadConstant((long) offset).ladd();
    }

    /** Keeps the branch target on the stack; leaves before the instruction unless it is canonical with 48 bits. */
    void keepTarget() {
        code.lstore(leaveAt);
        code.lload(leaveAt)
                .bipush(16)
                .lshl()
                .bipush(16)
                .lshr()
                .lload(leaveAt)
                .lcmp()
                .ifne(sideExit());
    }

    /** Pushes the kept target less the address of the page; goes to {@code elsewhere} if that is no int. */
    void pushTargetOffset(Label elsewhere) {
        code.lload(leaveAt).lload(PAGE).lsub().lstore(scratch);
        code.lload(scratch).lload(scratch).l2i().i2l().lcmp().ifne(elsewhere);
        code.lload(scratch).l2i();
    }

    /** Goes to {@code label} if the TLB has {@code frame} for code at {@code offset} from the page. */
    void goIfFetched(Label label, int offset, long frame) {
        code.aload(C).getfield(CPU, "mem", MEMORY);
        pushIp(offset);
        code.invokevirtual(MEMORY, "cachedFrame", MethodTypeDesc.of(LONG, LONG));
        code.loadConstant(frame).lcmp().ifeq(label);
    }

    /** Leaves to {@code offset} unless the TLB has {@code frame} for the code there. */
    void leaveUnlessFetched(int offset, long frame) {
        Label fetched = code.newLabel();
        int flags = known;
        goIfFetched(fetched, offset, frame);
        leaveTo(offset);
        known = flags;
        code.labelBinding(fetched);
    }

    /**
     * What the interpreter's operation needs to execute an instruction of a region.
     *
     * @param number of its place
     * @param block offset of its block in the page
     * @param blockEnd offset of the block's end in the page
     * @param next offset in the page of the next instruction
     * @param count instructions of the block
     * @param index of the instruction in the block
     * @param push pushes the operation
     */
    record Interpreted(
            int number, int block, int blockEnd, int next, int count, int index, Consumer<CodeBuilder> push) {}

    /** Has the interpreter's operation execute an instruction. */
    void interpret(Interpreted op) {
        run(op);
        reload();
        leaveIfMoved(op);
    }

    /**
     * Has the interpreter's operation execute an instruction aside, where translated code goes that cannot; then comes back.
     * The operation leaves the flags as they are, or sets those of a comparison.
     *
     * @param compares whether what is known of the flags behind it is {@link LazyFlags#ORDER}
     * @return where to go; what follows it is {@code back}
     */
    Label interpretAside(Interpreted op, Label back, boolean compares) {
        Label label = code.newLabel();
        int here = at;
        int left = unretired;
        int flags = known;
        aside.add(() -> {
            code.labelBinding(label);
            instruction(here, left);
            known = flags;
            run(op);
            reloadRegisters();
            if (compares) {
                code.aload(C).invokestatic(LAZY, "order", MethodTypeDesc.of(LONG, CPU));
                code.lstore(result);
                known = LazyFlags.form(LazyFlags.ORDER, 8);
            }
            leaveIfMoved(op);
            code.goto_(back);
        });
        return label;
    }

    private void run(Interpreted op) {
        spill();
        code.aload(registers).loadConstant(Address.BLOCK);
        pushIp(op.block());
        code.lastore();
        code.aload(C);
        pushIp(op.blockEnd());
        code.putfield(CPU, "ip", LONG);
        code.aload(C)
                .lload(end)
                .lload(LEFT)
                .lsub()
                .loadConstant((long) op.count())
                .lsub()
                .putfield(CPU, "retired", LONG);
        code.aload(C).loadConstant(op.number()).putfield(CPU, "regionPlace", INT);
        op.push().accept(code);
        code.aload(C).invokevirtual(OP, "run", MethodTypeDesc.of(VOID, CPU));
    }

    private void leaveIfMoved(Interpreted op) {
        instruction(op.next(), op.count() - op.index() - 1);
        code.aload(C)
                .invokevirtual(CPU, "regionMoved", MethodTypeDesc.of(BOOLEAN))
                .ifne(sideExit());
    }

    // vector registers

    /** Pushes one of the four words of a vector register. */
    void pushWord(int register, int word) {
        code.aload(vectors).loadConstant(4 * register + word).laload();
    }

    /** Writes the value on the stack to a word of a vector register. */
    void storeWord(int register, int word) {
        code.lstore(value);
        code.aload(vectors).loadConstant(4 * register + word).lload(value).lastore();
    }

    /** Pushes what {@link kvasir.metal.cpu.fp.HostArithmetic} may do now. */
    void pushHostMay() {
        code.aload(C).getfield(CPU, "simd", FLOATS).getfield(FLOATS, "hostMay", INT);
    }

    /** Finds 16 bytes of memory, for {@link #pushFound}; leaves if they are not in the TLB, or not aligned though they must. */
    void find16(Operand.Mem mem, int instructionEnd, boolean writes, boolean aligned) {
        pushLinear(mem, instructionEnd);
        findHost(place(mem, writes), 16);
        if (aligned) {
            code.lload(address).l2i().bipush(15).iand().ifne(sideExit());
        }
    }

    /** Pushes word 0 or 1 of the 16 bytes that were found. */
    void pushFound(int word) {
        code.lload(host);
        if (word != 0) {
            code.loadConstant(8L).ladd();
        }
        code.invokestatic(NATIVE, load + 64, MethodTypeDesc.of(LONG, LONG));
    }

    /** Writes the value on the stack to word 0 or 1 of the 16 bytes that were found. */
    void storeFound(int word) {
        code.lstore(value);
        code.lload(host);
        if (word != 0) {
            code.loadConstant(8L).ladd();
        }
        code.lload(value).invokestatic(NATIVE, store + 64, MethodTypeDesc.of(VOID, LONG, LONG));
    }

    /** The order of two numbers on the stack, an int as {@link LazyFlags#order} gives it, sets the flags. */
    void keepOrder() {
        code.i2l().lstore(result);
        known = LazyFlags.form(LazyFlags.ORDER, 8);
    }

    // registers and values

    /** Pushes a register as it is: of its upper bits nothing is known; AH to BH are zero extended. */
    private void pushRaw(Register register) {
        code.lload(general[register.number()]);
        if (register.file() == Register.File.HIGH) {
            code.bipush(8).lushr();
            mask(1);
        }
    }

    void pushGeneral(int number) {
        code.lload(general[number]);
    }

    void storeGeneral(int number) {
        code.lstore(general[number]);
    }

    /** Zero extends the value on the stack. */
    void mask(int bytes) {
        if (bytes < 8) {
            code.loadConstant(-1L >>> 64 - 8 * bytes).land();
        }
    }

    /** Sign extends the value on the stack. */
    void signExtend(int bytes) {
        switch (bytes) {
            case 1 -> code.l2i().i2b().i2l();
            case 2 -> code.l2i().i2s().i2l();
            case 4 -> code.l2i().i2l();
            default -> {}
        }
    }

    /** Writes the low bits of the value on the stack to a register. */
    void storeRegister(Register register) {
        int slot = general[register.number()];
        int bytes = register.file().bytes();
        if (bytes >= 4) {
            mask(bytes);
        } else {
            int position = register.file() == Register.File.HIGH ? 8 : 0;
            long mask = (-1L >>> 64 - 8 * bytes) << position;
            if (position != 0) {
                code.bipush(position).lshl();
            }
            code.loadConstant(mask).land();
            code.lload(slot).loadConstant(~mask).land().lor();
        }
        code.lstore(slot);
    }

    /** Pushes an operand, zero extended if {@code clean}, else with unknown upper bits; memory must have been read. */
    void push(Operand operand, boolean clean) {
        switch (operand) {
            case Operand.Reg(Register register) -> {
                pushRaw(register);
                if (clean && register.file() != Register.File.HIGH) {
                    mask(register.file().bytes());
                }
            }
            case Operand.Imm imm -> {
                code.loadConstant(imm.value());
                if (clean) {
                    mask(imm.bytes());
                }
            }
            default -> code.lload(loaded);
        }
    }

    /** Writes the value on the stack to an operand; memory must have been made ready for writing. */
    void store(Operand operand, int bytes) {
        if (operand instanceof Operand.Reg(Register register)) {
            storeRegister(register);
        } else {
            code.lstore(value);
            put(bytes);
        }
    }

    // memory

    /** Pushes the effective address. */
    void pushOffset(Operand.Mem mem, int instructionEnd) {
        if (mem.relative()) {
            pushIp(0);
            code.loadConstant(instructionEnd + mem.displacement()).ladd();
        } else {
            boolean any = mem.base().isPresent();
            mem.base().ifPresent(this::pushGeneral);
            if (mem.index().isPresent()) {
                pushGeneral(mem.index().get());
                if (mem.scale() > 1) {
                    code.loadConstant(Integer.numberOfTrailingZeros(mem.scale()))
                            .lshl();
                }
                if (any) {
                    code.ladd();
                }
                any = true;
            }
            if (!any) {
                code.loadConstant(mem.displacement());
            } else if (mem.displacement() != 0) {
                code.loadConstant(mem.displacement()).ladd();
            }
        }
        mask(mem.addressBytes());
    }

    private void pushLinear(Operand.Mem mem, int instructionEnd) {
        pushOffset(mem, instructionEnd);
        if (mem.segment() == Segment.FS || mem.segment() == Segment.GS) {
            code.aload(C).loadConstant(mem.segment());
            code.invokevirtual(CPU, "segmentBase", MethodTypeDesc.of(LONG, INT)).ladd();
        }
    }

    /** Reads memory, for {@link #push}; leaves if the page is not in the TLB. */
    void read(Operand.Mem mem, int instructionEnd) {
        pushLinear(mem, instructionEnd);
        findHost(place(mem, false), mem.bytes());
        get(mem.bytes());
    }

    /** Reads eight bytes of the stack at the address on the stack. */
    void readStack() {
        findHost(place(STACK, false), 8);
        get(8);
    }

    /** Makes memory ready for {@link #store}; leaves if the page is not in the TLB for writing. */
    void prepareWrite(Operand.Mem mem, int instructionEnd) {
        pushLinear(mem, instructionEnd);
        findHost(place(mem, true), mem.bytes());
    }

    /** Makes eight bytes of the stack at the address on the stack ready for {@link #store}. */
    void prepareWriteStack() {
        findHost(place(STACK, true), 8);
    }

    /** As both {@link #read} and {@link #prepareWrite}. */
    void readForWrite(Operand.Mem mem, int instructionEnd) {
        prepareWrite(mem, instructionEnd);
        get(mem.bytes());
    }

    /**
     * Finds the native address of {@code bytes} bytes at the address on the stack: in the page that the place had last, or
     * by the TLB.
     */
    private void findHost(int place, int bytes) {
        code.lstore(address);
        LastPage last = lastPages.get(place);
        if (last == null) {
            probe(place, bytes);
            return;
        }
        Label other = code.newLabel();
        Label found = code.newLabel();
        code.lload(address).loadConstant(-4096L | bytes - 1).land();
        code.lload(last.page()).lcmp().ifne(other);
        code.lload(address).lload(last.delta()).ladd().lstore(host).goto_(found);
        code.labelBinding(other);
        probe(place, bytes);
        code.lload(address).loadConstant(-4096L).land().lstore(last.page());
        code.lload(host).lload(address).lsub().lstore(last.delta());
        code.labelBinding(found);
    }

    private void probe(int place, int bytes) {
        boolean writes = (place & 1) != 0;
        code.aload(writes ? writeTags : readTags).aload(writes ? writeDeltas : readDeltas);
        code.lload(address).loadConstant(4096 - bytes);
        code.invokestatic(TLB, "host", MethodTypeDesc.of(LONG, LONGS, LONGS, LONG, INT));
        code.lstore(host);
        code.lload(host).lconst_0().lcmp().ifeq(sideExit());
    }

    private void get(int bytes) {
        code.lload(host);
        switch (bytes) {
            case 8 -> code.invokestatic(NATIVE, load + 64, MethodTypeDesc.of(LONG, LONG));
            case 4 ->
                code.invokestatic(NATIVE, load + 32, MethodTypeDesc.of(INT, LONG))
                        .i2l();
            case 2 ->
                code.invokestatic(NATIVE, load + 16, MethodTypeDesc.of(ConstantDescs.CD_short, LONG))
                        .i2l();
            default ->
                code.invokestatic(NATIVE, load + 8, MethodTypeDesc.of(ConstantDescs.CD_byte, LONG))
                        .i2l();
        }
        mask(bytes);
        code.lstore(loaded);
    }

    private void put(int bytes) {
        code.lload(host).lload(value);
        switch (bytes) {
            case 8 -> code.invokestatic(NATIVE, store + 64, MethodTypeDesc.of(VOID, LONG, LONG));
            case 4 -> code.l2i().invokestatic(NATIVE, store + 32, MethodTypeDesc.of(VOID, LONG, INT));
            case 2 ->
                code.l2i()
                        .i2s()
                        .invokestatic(NATIVE, store + 16, MethodTypeDesc.of(VOID, LONG, ConstantDescs.CD_short));
            default ->
                code.l2i().i2b().invokestatic(NATIVE, store + 8, MethodTypeDesc.of(VOID, LONG, ConstantDescs.CD_byte));
        }
    }

    // flags

    /** The operand on the stack becomes the first of the operation that sets the flags. */
    void keepA() {
        code.lstore(a);
    }

    void keepB() {
        code.lstore(b);
    }

    void keepResult() {
        code.lstore(result);
    }

    void pushA() {
        code.lload(a);
    }

    void pushB() {
        code.lload(b);
    }

    void pushResult() {
        code.lload(result);
    }

    /** The carry in, as {@link #keepCarry} left it. */
    void pushCarry() {
        code.iload(carry).i2l();
    }

    /** The flags are from now on those of an operation of {@code kind}. */
    void flags(int kind, int bytes) {
        known = LazyFlags.form(kind, bytes);
    }

    /** The flags' words are on the stack: the sign extended result, then the carry word. */
    void flagWords() {
        code.lstore(b).lstore(a);
        known = LazyFlags.SETTLED;
    }

    /** Has the flags' words in the locals of {@link #flagWords}, whatever set them. */
    void settleWords() {
        if (known == LazyFlags.SETTLED) {
            return;
        }
        settle();
        code.aload(C).getfield(CPU, "flagResult", LONG).lstore(a);
        code.aload(C).getfield(CPU, "flagCarry", LONG).lstore(b);
        known = LazyFlags.SETTLED;
    }

    private void settle() {
        code.aload(C);
        if (known == DYNAMIC) {
            code.iload(form).lload(a).lload(b);
            code.invokestatic(LAZY, "settle", MethodTypeDesc.of(VOID, CPU, INT, LONG, LONG));
        } else {
            code.loadConstant(known).lload(a).lload(b).lload(result).iload(carry);
            code.invokestatic(LAZY, "settle", MethodTypeDesc.of(VOID, CPU, INT, LONG, LONG, LONG, INT));
        }
    }

    private int kind() {
        return known == DYNAMIC ? DYNAMIC : known >> 3;
    }

    private int bytes() {
        return 1 << (known & 7);
    }

    /** Keeps CF as it is now, before the operands of the flags change. */
    void keepCarry() {
        switch (kind()) {
            case LazyFlags.LOGIC -> code.iconst_0();
            case LazyFlags.INC, LazyFlags.DEC -> code.iload(carry);
            case LazyFlags.ORDER -> code.lload(result).l2i().iconst_1().iand();
            case LazyFlags.SUB -> below(a, b);
            case LazyFlags.ADD -> below(result, a);
            case DYNAMIC -> {
                code.iload(form).lload(a).lload(b);
                code.invokestatic(LAZY, "carry", MethodTypeDesc.of(INT, INT, LONG, LONG));
            }
            default -> {
                settle();
                code.aload(C).invokestatic(LAZY, "carry", MethodTypeDesc.of(INT, CPU));
            }
        }
        code.istore(carry);
    }

    private void below(int first, int second) {
        code.lload(first).lload(second).loadConstant(64 - 8 * bytes());
        code.invokestatic(LAZY, "below", MethodTypeDesc.of(INT, LONG, LONG, INT));
    }

    /** Goes to {@code taken} if condition 0 to 15 holds. The stack must be empty. */
    void branchIf(int condition, Label taken) {
        int kind = kind();
        if (kind == LazyFlags.ORDER) {
            ordered(condition, taken);
            return;
        }
        boolean usesCarry = condition >> 1 == 1 || condition >> 1 == 3;
        boolean inverted = (condition & 1) != 0;
        boolean compares = kind == LazyFlags.SUB || kind == LazyFlags.LOGIC || kind == LazyFlags.DEC && !usesCarry;
        boolean results = compares || kind == LazyFlags.ADD || kind == LazyFlags.INC;
        switch (condition >> 1) {
            case 1 -> {
                if (kind == LazyFlags.ADD) {
                    unsigned(result, a, inverted ? Relation.AT_LEAST : Relation.BELOW, taken);
                } else if (kind == LazyFlags.SUB) {
                    unsigned(a, b, inverted ? Relation.AT_LEAST : Relation.BELOW, taken);
                } else if (kind == LazyFlags.INC || kind == LazyFlags.DEC) {
                    code.iload(carry);
                    test(inverted, taken);
                } else {
                    general(condition, taken);
                }
            }
            case 2 -> {
                if (compares) {
                    signed(inverted ? Relation.DIFFERENT : Relation.EQUAL, taken);
                } else if (results) {
                    ofResult(inverted ? Relation.DIFFERENT : Relation.EQUAL, taken);
                } else {
                    general(condition, taken);
                }
            }
            case 3 -> {
                if (kind == LazyFlags.SUB) {
                    unsigned(a, b, inverted ? Relation.ABOVE : Relation.AT_MOST, taken);
                } else {
                    general(condition, taken);
                }
            }
            case 4 -> {
                if (results) {
                    ofResult(inverted ? Relation.AT_LEAST : Relation.BELOW, taken);
                } else {
                    general(condition, taken);
                }
            }
            case 6 -> {
                if (compares) {
                    signed(inverted ? Relation.AT_LEAST : Relation.BELOW, taken);
                } else {
                    general(condition, taken);
                }
            }
            case 7 -> {
                if (compares) {
                    signed(inverted ? Relation.ABOVE : Relation.AT_MOST, taken);
                } else {
                    general(condition, taken);
                }
            }
            default -> general(condition, taken);
        }
    }

    /** As {@link #branchIf}, of a comparison of floating-point numbers: OF, SF and AF are clear. */
    private void ordered(int condition, Label taken) {
        int bits = switch (condition >> 1) {
            case 1 -> 1;
            case 2, 7 -> 2;
            case 3 -> 3;
            case 5 -> 4;
            default -> 0;
        };
        code.lload(result).l2i().loadConstant(bits).iand();
        test((condition & 1) != 0, taken);
    }

    private enum Relation {
        EQUAL,
        DIFFERENT,
        BELOW,
        AT_LEAST,
        ABOVE,
        AT_MOST
    }

    private void general(int condition, Label taken) {
        settle();
        code.aload(C).loadConstant(condition);
        code.invokestatic(FLAGS, "test", MethodTypeDesc.of(BOOLEAN, CPU, INT)).ifne(taken);
    }

    private void test(boolean inverted, Label taken) {
        if (inverted) {
            code.ifeq(taken);
        } else {
            code.ifne(taken);
        }
    }

    /** Compares the operands of the subtraction that the flags are of, as signed numbers. */
    private void signed(Relation relation, Label taken) {
        int kind = kind();
        pushCompared(kind == LazyFlags.LOGIC ? result : a);
        switch (kind) {
            case LazyFlags.SUB -> pushCompared(b);
            case LazyFlags.LOGIC -> pushCompared(0L);
            default -> pushCompared(1L);
        }
        compare(relation, taken);
    }

    private void ofResult(Relation relation, Label taken) {
        pushCompared(result);
        pushCompared(0L);
        compare(relation, taken);
    }

    private void pushCompared(int slot) {
        code.lload(slot);
        switch (bytes()) {
            case 1 -> code.l2i().i2b();
            case 2 -> code.l2i().i2s();
            case 4 -> code.l2i();
            default -> {}
        }
    }

    private void pushCompared(long constant) {
        if (bytes() == 8) {
            code.loadConstant(constant);
        } else {
            code.loadConstant((int) constant);
        }
    }

    private void compare(Relation relation, Label taken) {
        if (bytes() == 8) {
            code.lcmp();
            compareWithZero(relation, taken);
            return;
        }
        switch (relation) {
            case EQUAL -> code.if_icmpeq(taken);
            case DIFFERENT -> code.if_icmpne(taken);
            case BELOW -> code.if_icmplt(taken);
            case AT_LEAST -> code.if_icmpge(taken);
            case ABOVE -> code.if_icmpgt(taken);
            case AT_MOST -> code.if_icmple(taken);
        }
    }

    private void unsigned(int first, int second, Relation relation, Label taken) {
        code.lload(first);
        if (bytes() < 8) {
            mask(bytes());
            code.lload(second);
            mask(bytes());
            code.lcmp();
        } else {
            code.lload(second);
            code.invokestatic(ConstantDescs.CD_Long, "compareUnsigned", MethodTypeDesc.of(INT, LONG, LONG));
        }
        compareWithZero(relation, taken);
    }

    private void compareWithZero(Relation relation, Label taken) {
        switch (relation) {
            case EQUAL -> code.ifeq(taken);
            case DIFFERENT -> code.ifne(taken);
            case BELOW -> code.iflt(taken);
            case AT_LEAST -> code.ifge(taken);
            case ABOVE -> code.ifgt(taken);
            case AT_MOST -> code.ifle(taken);
        }
    }

    /** Calls a function of {@link LazyFlags} that gives a carry word. */
    void carryWord(String name, MethodTypeDesc type) {
        code.invokestatic(LAZY, name, type);
    }

    /** A local for whatever an instruction needs between two of its steps. */
    int value() {
        return value;
    }

    int scratch() {
        return scratch;
    }
}
