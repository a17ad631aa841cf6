package kvasir.metal.cpu;

import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.attribute.CodeAttribute;
import java.lang.classfile.instruction.SwitchCase;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.DynamicConstantDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import kvasir.metal.cpu.Region.Part;
import kvasir.metal.cpu.Region.Place;
import kvasir.metal.cpu.isa.Instruction;
import kvasir.metal.cpu.isa.Operand;

/**
 * Makes a hidden class of a region: one method, guest registers in its locals, branches within the region as jumps. The
 * class dies with the region.
 */
final class RegionTranslator {
    /**
     * The JVM's first compiler gives up on some methods of more bytecode than this ("out of virtual registers"), which
     * then stay in its interpreter; more than 8000 it never compiles.
     */
    private static final int MOST_BYTECODE = 4000;

    private static final ClassDesc SUPER = ClassDesc.of("kvasir.metal.cpu.RegionCode");
    private static final ClassDesc SELF = ClassDesc.of("kvasir.metal.cpu.RegionCode$Translated");
    private static final MethodTypeDesc RUN =
            MethodTypeDesc.of(ConstantDescs.CD_void, RegionEmitter.CPU, ConstantDescs.CD_long, ConstantDescs.CD_long);

    /** Instructions that do not write their first operand. */
    private static final Set<String> READERS = Set.of("CMP", "TEST", "PUSH", "CALL", "JMP", "BT");

    /** The places whose last page is kept in locals: enough for a loop, few enough for the JVM's registers. */
    private static final int MOST_LAST_PAGES = 6;

    private final List<Part> parts;
    private final List<Place> places = new ArrayList<>();

    /** By {@link Part#at}, the entry first. */
    private final Map<Integer, Target> targets = new LinkedHashMap<>();

    /** A block and where its code begins. */
    private record Target(Part part, Label label) {}

    private final boolean ordered;

    private RegionTranslator(List<Part> parts, boolean ordered) {
        this.parts = parts;
        this.ordered = ordered;
    }

    /** The translation of {@code region}, or of as many of its first blocks as one method can hold. */
    static Optional<Region.Translation> translate(Region region) {
        List<Part> some = region.parts;
        while (!some.isEmpty()) {
            var translator = new RegionTranslator(some, region.ordered);
            byte[] bytes = translator.classFile();
            if (bytecode(bytes) < MOST_BYTECODE) {
                return Optional.of(translator.define(bytes));
            }
            some = some.subList(0, some.size() / 2);
        }
        return Optional.empty();
    }

    private Region.Translation define(byte[] bytes) {
        List<Op> operations =
                places.stream().map(place -> place.block().ops[place.index()]).toList();
        try {
            Class<?> type = MethodHandles.lookup()
                    .defineHiddenClassWithClassData(bytes, operations, true)
                    .lookupClass();
            var code = (RegionCode) type.getDeclaredConstructor().newInstance();
            return new Region.Translation(code, List.copyOf(places));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("a translation cannot be loaded", e);
        }
    }

    private byte[] classFile() {
        return ClassFile.of().build(SELF, type -> {
            type.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SUPER).withSuperclass(SUPER);
            type.withMethodBody(
                    ConstantDescs.INIT_NAME,
                    ConstantDescs.MTD_void,
                    0,
                    code -> code.aload(0)
                            .invokespecial(SUPER, ConstantDescs.INIT_NAME, ConstantDescs.MTD_void)
                            .return_());
            type.withMethodBody("run", RUN, 0, this::body);
        });
    }

    private void body(CodeBuilder code) {
        places.clear();
        targets.clear();
        int used = 1 << Gpr.RSP;
        Map<Integer, Integer> accesses = new TreeMap<>();
        for (Part part : parts) {
            targets.put(part.at(), new Target(part, code.newLabel()));
            for (Instruction instruction : part.instructions()) {
                used |= InstructionTranslator.registers(instruction);
                places(instruction).forEach(place -> accesses.merge(place, 1, Integer::sum));
            }
        }
        List<Integer> often = accesses.entrySet().stream()
                .sorted(Comparator.comparingInt(access -> -access.getValue()))
                .limit(loops() ? MOST_LAST_PAGES : 0)
                .map(Map.Entry::getKey)
                .toList();
        var emitter = new RegionEmitter(code, used, often, ordered);
        emitter.begin();
        Label dispatch = code.newLabel();
        boolean dispatches = false;
        for (Target target : targets.values()) {
            dispatches |= block(emitter, target, dispatch);
        }
        if (dispatches) {
            dispatch(emitter, dispatch);
        }
        emitter.finish();
    }

    /** Whether a block leads back to itself or to one before it: else a page would hardly be accessed twice. */
    private boolean loops() {
        Set<Integer> before = new HashSet<>();
        for (Part part : parts) {
            before.add(part.at());
            if (successors(part).stream().anyMatch(before::contains)) {
                return true;
            }
        }
        return false;
    }

    /** The {@link RegionEmitter#place}s of memory that an instruction accesses. */
    private static List<Integer> places(Instruction i) {
        var places = new ArrayList<Integer>();
        for (int k = 0; k < i.operands().size(); k++) {
            if (i.operand(k) instanceof Operand.Mem mem) {
                places.add(RegionEmitter.place(mem, k == 0 && !READERS.contains(i.mnemonic())));
            }
        }
        switch (i.mnemonic()) {
            case "PUSH", "CALL" -> places.add(RegionEmitter.place(RegionEmitter.STACK, true));
            case "POP", "RET" -> places.add(RegionEmitter.place(RegionEmitter.STACK, false));
            default -> {}
        }
        return places;
    }

    private static int bytecode(byte[] classFile) {
        return ClassFile.of().parse(classFile).methods().stream()
                .flatMap(method -> method.findAttribute(Attributes.code()).stream())
                .mapToInt(CodeAttribute::codeLength)
                .max()
                .orElse(0);
    }

    /** Goes to the block at the kept target, if it is one of the region's. */
    private void dispatch(RegionEmitter emitter, Label dispatch) {
        CodeBuilder code = emitter.code;
        Label elsewhere = code.newLabel();
        code.labelBinding(dispatch);
        emitter.pushTargetOffset(elsewhere);
        List<SwitchCase> cases = new ArrayList<>();
        List<Runnable> ways = new ArrayList<>();
        targets.forEach((place, target) -> {
            Label way = code.newLabel();
            cases.add(SwitchCase.of(place, way));
            ways.add(() -> {
                code.labelBinding(way);
                if (target.part().page() == 0) {
                    // a jump of its own: the JVM's first compiler does not count those of a switch as turns of a loop
                    code.goto_(target.label());
                } else {
                    emitter.goIfFetched(target.label(), place, target.part().block().frame);
                    emitter.leaveToTarget();
                }
            });
        });
        code.lookupswitch(elsewhere, cases);
        ways.forEach(Runnable::run);
        code.labelBinding(elsewhere);
        emitter.leaveToTarget();
    }

    /** Whether the block ends with a branch to an address that is known at run time only. */
    private boolean block(RegionEmitter emitter, Target target, Label dispatch) {
        Part part = target.part();
        Block block = part.block();
        int count = part.instructions().size();
        var translator = new InstructionTranslator(emitter);
        emitter.block(target.label(), part.at(), count);
        for (int i = 0; i < count; i++) {
            Instruction instruction = part.instructions().get(i);
            int end = part.start(i + 1);
            emitter.instruction(part.start(i), count - i);
            if (block.ops[i].endsBlock()) {
                return ending(emitter, translator, part, end, dispatch);
            }
            if (InstructionTranslator.knows(instruction)) {
                translator.translate(instruction, end);
            } else if (VectorTranslator.knows(instruction, block.gateKey())) {
                new VectorTranslator(emitter, instruction, interpreted(part, i, end)).translate(end);
            } else {
                emitter.interpret(interpreted(part, i, end));
            }
        }
        goTo(emitter, part, part.start(count));
        return false;
    }

    private RegionEmitter.Interpreted interpreted(Part part, int index, int end) {
        Block block = part.block();
        int number = places.size();
        places.add(new Place(block, index));
        return new RegionEmitter.Interpreted(
                number,
                part.at(),
                part.start(block.ops.length),
                end,
                part.instructions().size(),
                index,
                code -> code.loadConstant(DynamicConstantDesc.ofNamed(
                        ConstantDescs.ofConstantBootstrap(
                                ConstantDescs.CD_MethodHandles,
                                "classDataAt",
                                ConstantDescs.CD_Object,
                                ConstantDescs.CD_int),
                        ConstantDescs.DEFAULT_NAME,
                        RegionEmitter.OP,
                        number)));
    }

    /** {@link Part#at} of the blocks that may follow {@code part}, as far as its code tells. */
    static List<Integer> successors(Part part) {
        List<Instruction> instructions = part.instructions();
        int end = part.start(instructions.size());
        Instruction last = instructions.getLast();
        boolean ends = part.block().ops[instructions.size() - 1].endsBlock();
        if (!ends) {
            return List.of(end);
        }
        if (!near(last)) {
            return List.of();
        }
        var places = new ArrayList<Integer>();
        if (last.operands().size() == 1 && last.operand(0) instanceof Operand.Rel(long displacement)) {
            places.add((int) (end + displacement));
        }
        if (!last.mnemonic().equals("JMP") && !last.mnemonic().equals("RET")) {
            places.add(end);
        }
        return places;
    }

    /** Translates the instruction that ends a block; leaves before it if the interpreter must. */
    private boolean ending(
            RegionEmitter emitter, InstructionTranslator translator, Part part, int end, Label dispatch) {
        CodeBuilder code = emitter.code;
        Instruction i = part.instructions().getLast();
        if (!near(i)) {
            emitter.leaveHere();
            return false;
        }
        if (i.operands().size() == 1 && i.operand(0) instanceof Operand.Rel(long displacement)) {
            int target = (int) (end + displacement);
            if (i.mnemonic().equals("CALL")) {
                emitter.pushIp(end);
                code.lstore(emitter.scratch());
                translator.push();
                goTo(emitter, part, target);
            } else if (i.mnemonic().equals("JMP")) {
                goTo(emitter, part, target);
            } else {
                Label taken = code.newLabel();
                emitter.joinFlags();
                emitter.branchIf(i.encoding().condition(), taken);
                goTo(emitter, part, end);
                code.labelBinding(taken);
                goTo(emitter, part, target);
            }
            return false;
        }
        if (i.mnemonic().equals("RET")) {
            emitter.pushGeneral(Gpr.RSP);
            emitter.readStack();
            emitter.push(RegionEmitter.STACK, false);
            emitter.keepTarget();
            long extra = i.operands().isEmpty() ? 0 : ((Operand.Imm) i.operand(0)).value() & 0xffff;
            translator.moveStack(8 + extra);
        } else {
            if (i.operand(0) instanceof Operand.Mem mem) {
                emitter.read(mem, end);
            }
            emitter.push(i.operand(0), false);
            emitter.keepTarget();
            if (i.mnemonic().equals("CALL")) {
                emitter.pushIp(end);
                code.lstore(emitter.scratch());
                translator.push();
            }
        }
        emitter.joinFlags();
        code.goto_(dispatch);
        return true;
    }

    /** Whether it is a near branch with 64-bit addresses that is translated. */
    private static boolean near(Instruction i) {
        String name = i.mnemonic();
        boolean conditional = i.operands().size() == 1
                && i.operand(0) instanceof Operand.Rel
                && name.startsWith("J")
                && !name.endsWith("CXZ");
        boolean other = name.equals("CALL") || name.equals("RET") || name.equals("JMP");
        return i.operandSize() == 8 && (conditional || other);
    }

    private void goTo(RegionEmitter emitter, Part from, int place) {
        Target target = targets.get(place);
        if (target == null) {
            emitter.leaveTo(place);
            return;
        }
        Part to = target.part();
        if (to.page() != from.page() && to.page() != 0) {
            emitter.leaveUnlessFetched(place, to.block().frame);
        }
        emitter.joinFlags();
        emitter.code.goto_(target.label());
    }
}
