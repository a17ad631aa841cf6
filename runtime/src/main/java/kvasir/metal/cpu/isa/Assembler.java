package kvasir.metal.cpu.isa;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;
import kvasir.registry.Bytes;

/**
 * Statements to bytes, by the table: every row that fits is encoded, the shortest wins (the first of equals). A
 * memory operand that is only a label is RIP-relative in 64-bit code, so that code runs wherever it is loaded.
 */
public final class Assembler {
    private static final int MOST_PASSES = 50;
    private static final int[] SIZES = {2, 4, 8};

    private final CodeSize codeSize;
    private final long origin;
    private final List<Statement> statements;
    private final List<AssemblyError> errors = new ArrayList<>();
    private final Map<String, Long> labels = new LinkedHashMap<>();
    private final int[] lengths;
    private final byte[][] bytes;

    private Assembler(CodeSize codeSize, long origin, List<Statement> statements) {
        this.codeSize = codeSize;
        this.origin = origin;
        this.statements = statements;
        lengths = new int[statements.size()];
        bytes = new byte[statements.size()][];
    }

    /** One way to write an instruction, and the size of its memory operand (0 without one). */
    private record Candidate(Bytes code, int memoryBytes, boolean defaultSize) {}

    /**
     * Assembles {@code statements}.
     *
     * @param origin address of the first byte, which absolute uses of labels count from
     */
    public static Assembled assemble(CodeSize codeSize, long origin, List<Statement> statements) {
        return new Assembler(codeSize, origin, statements).run();
    }

    private Assembled run() {
        declareLabels();
        boolean changed = errors.isEmpty();
        for (int pass = 0; changed && errors.isEmpty() && pass < MOST_PASSES; pass++) {
            changed = pass();
        }
        var out = new ByteArrayOutputStream();
        if (errors.isEmpty()) {
            for (byte[] part : bytes) {
                out.writeBytes(part);
            }
        }
        return new Assembled(Bytes.of(out.toByteArray()), new LinkedHashMap<>(labels), List.copyOf(errors));
    }

    private void declareLabels() {
        for (Statement statement : statements) {
            if (statement instanceof Statement.Label label && labels.putIfAbsent(label.name(), origin) != null) {
                errors.add(new AssemblyError(label.line(), "label '" + label.name() + "' is defined twice", ""));
            }
        }
    }

    private boolean pass() {
        boolean changed = false;
        long address = origin;
        for (int i = 0; i < statements.size(); i++) {
            Statement statement = statements.get(i);
            if (statement instanceof Statement.Label label) {
                Long before = labels.put(label.name(), address);
                changed |= before == null || before != address;
            }
            bytes[i] = encode(statement, address, lengths[i]);
            changed |= bytes[i].length != lengths[i];
            lengths[i] = bytes[i].length;
            address += bytes[i].length;
        }
        return changed;
    }

    private byte[] encode(Statement statement, long address, int least) {
        return switch (statement) {
            case Statement.Label label -> new byte[0];
            case Statement.Reserve reserve -> new byte[reserve.count()];
            case Statement.Align align -> padding((int) (-address & (align.boundary() - 1)));
            case Statement.Data data -> data(data);
            case Statement.Code code -> instruction(code, address, least);
        };
    }

    private static byte[] padding(int count) {
        byte[] nops = new byte[count];
        java.util.Arrays.fill(nops, (byte) 0x90);
        return nops;
    }

    private byte[] data(Statement.Data data) {
        byte[] out = new byte[data.values().size() * data.bytes()];
        int at = 0;
        for (Statement.Value value : data.values()) {
            long number = number(data.line(), value);
            if (!fits(number, data.bytes())) {
                fail(data.line(), hex(number) + " does not fit in " + data.bytes() + " bytes", "");
            }
            for (int i = 0; i < data.bytes(); i++) {
                out[at++] = (byte) (number >>> (8 * i));
            }
        }
        return out;
    }

    private byte[] instruction(Statement.Code code, long address, int least) {
        String mnemonic = Aliases.canonical(code.mnemonic().toUpperCase(Locale.ROOT), codeSize);
        List<Encoding> rows = InstructionTable.of(mnemonic);
        if (rows.isEmpty()) {
            fail(
                    code.line(),
                    "unknown instruction '" + code.mnemonic() + "'",
                    Aliases.nearest(mnemonic)
                            .map(n -> "did you mean '" + n + "'?")
                            .orElse(""));
            return new byte[0];
        }
        if (!namesAreKnown(code)) {
            return new byte[0];
        }
        var candidates = new ArrayList<Candidate>();
        for (Encoding row : rows) {
            if (!row.is("undoc") && row.operands().size() == code.operands().size()) {
                candidates.addAll(candidates(row, code, address));
            }
        }
        if (candidates.isEmpty()) {
            String forms = rows.stream()
                    .filter(r -> !r.is("undoc") && !r.is(codeSize == CodeSize.BITS64 ? "i64" : "x64"))
                    .map(r -> (code.mnemonic().toLowerCase(Locale.ROOT) + " " + r.forms()).strip())
                    .distinct()
                    .collect(Collectors.joining("; "));
            fail(
                    code.line(),
                    "no form of '" + code.mnemonic() + "' takes these operands in " + bitsName() + " code",
                    forms.isEmpty() ? "" : "it has: " + forms);
            return new byte[0];
        }
        return choose(code, candidates, least);
    }

    private byte[] choose(Statement.Code code, List<Candidate> candidates, int least) {
        var sizes = new TreeSet<Integer>();
        for (Candidate candidate : candidates) {
            sizes.add(candidate.memoryBytes());
        }
        boolean usualOnly = candidates.stream().anyMatch(Candidate::defaultSize);
        boolean ambiguous = sizes.size() > 1 && !usualOnly;
        if (ambiguous) {
            fail(
                    code.line(),
                    "the size of the memory operand is not known",
                    "write byte, word, dword or qword before it");
            return new byte[0];
        }
        Optional<Candidate> best = Optional.empty();
        for (Candidate candidate : candidates) {
            boolean allowed = candidate.code().length() >= least && (!usualOnly || candidate.defaultSize());
            if (allowed
                    && (best.isEmpty()
                            || candidate.code().length() < best.get().code().length())) {
                best = Optional.of(candidate);
            }
        }
        return best.orElseGet(candidates::getLast).code().toArray();
    }

    private boolean namesAreKnown(Statement.Code code) {
        int before = errors.size();
        for (Statement.Argument argument : code.operands()) {
            switch (argument) {
                case Statement.Argument.Reg reg -> known(code.line(), reg.name());
                case Statement.Argument.Memory memory -> {
                    memory.base().ifPresent(n -> known(code.line(), n));
                    memory.index().ifPresent(n -> known(code.line(), n));
                    memory.segment().ifPresent(n -> known(code.line(), n));
                    number(code.line(), memory.displacement());
                }
                case Statement.Argument.Constant n -> number(code.line(), n.value());
                case Statement.Argument.Far far -> {
                    number(code.line(), far.selector());
                    number(code.line(), far.offset());
                }
            }
        }
        return errors.size() == before;
    }

    private void known(int line, String register) {
        if (Register.named(register).isEmpty()) {
            fail(line, "unknown register '" + register + "'", "");
        }
    }

    private List<Candidate> candidates(Encoding row, Statement.Code code, long address) {
        var found = new ArrayList<Candidate>();
        for (int size : operandSizes(row)) {
            var encoder = new Encoder(codeSize, row, size, address, this::resolve);
            Optional<byte[]> encoded = encoder.encode(code);
            encoded.ifPresent(c -> found.add(
                    new Candidate(Bytes.of(c), encoder.memoryBytes(), hasUsualSize(row) && size == defaultSize(row))));
        }
        return found;
    }

    /** Stack operations and far pointers have a size of their own when none is written. */
    private static boolean hasUsualSize(Encoding row) {
        return row.is("d64")
                || row.is("f64")
                || row.operands().stream().anyMatch(s -> s.memorySize().equals("p"));
    }

    private int defaultSize(Encoding row) {
        return switch (codeSize) {
            case BITS16 -> 2;
            case BITS32 -> 4;
            case BITS64 -> row.is("d64") || row.is("f64") ? 8 : 4;
        };
    }

    /** Operand sizes to try: only the default one if the row does not depend on it. */
    private List<Integer> operandSizes(Encoding row) {
        boolean bits64 = codeSize == CodeSize.BITS64;
        if (row.is(bits64 ? "i64" : "x64")) {
            return List.of();
        }
        for (int size : SIZES) {
            if (row.is("o" + size * 8)) {
                return size == 8 && !bits64 ? List.of() : List.of(size);
            }
        }
        if (row.is("o66")) {
            return codeSize == CodeSize.BITS16 ? List.of() : List.of(2);
        }
        boolean varies = false;
        boolean wideOnly = true;
        for (Spec spec : row.operands()) {
            for (String code : List.of(spec.size(), spec.memorySize())) {
                varies |= "vzsyip".contains(code) && !code.isEmpty();
                wideOnly &= !"vzsip".contains(code) || code.isEmpty();
            }
        }
        int usual = defaultSize(row);
        boolean branch = row.operands().stream().anyMatch(s -> s.kind() == 'J');
        if (!varies || (row.is("f64") && (bits64 || branch))) {
            return List.of(usual);
        }
        var sizes = new ArrayList<Integer>();
        sizes.add(usual);
        for (int size : SIZES) {
            boolean exists = size == 8 ? bits64 : !(size == 4 && row.is("d64") && bits64);
            boolean useful = !(wideOnly && size == 2) && !(row.prefix() == Encoding.Prefix.NP && size == 2);
            if (size != usual && exists && useful) {
                sizes.add(size);
            }
        }
        if (wideOnly && usual == 2) {
            sizes.remove(Integer.valueOf(4));
        }
        return sizes;
    }

    private Optional<Long> resolve(Statement.Value value) {
        return value.label().isEmpty()
                ? Optional.of(value.constant())
                : Optional.ofNullable(labels.get(value.label().get())).map(a -> a + value.constant());
    }

    private long number(int line, Statement.Value value) {
        return resolve(value).orElseGet(() -> {
            fail(line, "unknown label '" + value.label().orElseThrow() + "'", "");
            return 0L;
        });
    }

    private void fail(int line, String message, String help) {
        errors.add(new AssemblyError(line, message, help));
    }

    private String bitsName() {
        return codeSize.addressBytes() * 8 + "-bit";
    }

    /** Whether a number can be written in {@code bytes} bytes, as signed or as unsigned. */
    static boolean fits(long number, int bytes) {
        if (bytes == 8) {
            return true;
        }
        long limit = 1L << (8 * bytes);
        return number >= -(limit >> 1) && number < limit;
    }

    private static String hex(long number) {
        return "0x" + Long.toHexString(number);
    }
}
