package kvasir.metal.cpu.isa;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads Intel syntax: one statement a line, {@code ;}, {@code #} or {@code //} comments, {@code name:} labels, numbers
 * as {@code 10}, {@code 0x10}, {@code 0b10}, {@code 'c'}; {@code db dw dd dq align resb}.
 */
public final class AssemblyText {
    private static final Map<String, Integer> SIZES = Map.of(
            "byte", 1, "word", 2, "dword", 4, "qword", 8, "fword", 6, "tword", 10, "xmmword", 16, "oword", 16,
            "ymmword", 32);
    private static final Map<String, Integer> DATA = Map.of("db", 1, "dw", 2, "dd", 4, "dq", 8);
    private static final Set<String> PREFIXES = Set.of("lock", "rep", "repe", "repz", "repne", "repnz");

    private final List<String> tokens;
    private final int line;
    private int at;

    /** What a text gave. */
    public record Parsed(List<Statement> statements, List<AssemblyError> errors) {}

    /** Ends the reading of a line; never leaves this class. */
    private static final class Malformed extends Exception {
        private static final long serialVersionUID = 1;

        Malformed(String message) {
            super(message);
        }
    }

    private AssemblyText(List<String> tokens, int line) {
        this.tokens = tokens;
        this.line = line;
    }

    /** Reads a text; lines are numbered from 1. */
    public static Parsed parse(String text) {
        var statements = new ArrayList<Statement>();
        var errors = new ArrayList<AssemblyError>();
        int number = 0;
        for (String source : text.lines().toList()) {
            number++;
            try {
                new AssemblyText(tokens(source), number).line(statements);
            } catch (Malformed e) {
                errors.add(new AssemblyError(number, String.valueOf(e.getMessage()), ""));
            }
        }
        return new Parsed(statements, errors);
    }

    /** Reads and assembles a text. */
    public static Assembled assemble(CodeSize codeSize, long origin, String text) {
        Parsed parsed = parse(text);
        Assembled assembled = Assembler.assemble(codeSize, origin, parsed.statements());
        if (parsed.errors().isEmpty()) {
            return assembled;
        }
        var errors = new ArrayList<>(parsed.errors());
        errors.addAll(assembled.errors());
        errors.sort(java.util.Comparator.comparingInt(AssemblyError::line));
        return new Assembled(kvasir.registry.Bytes.of(), assembled.labels(), errors);
    }

    private static List<String> tokens(String source) throws Malformed {
        var tokens = new ArrayList<String>();
        int i = 0;
        while (i < source.length()) {
            char c = source.charAt(i);
            int start = i;
            if (c == ';' || c == '#' || source.startsWith("//", i)) {
                break;
            } else if (Character.isWhitespace(c)) {
                i++;
                continue;
            } else if (c == '\'' || c == '"') {
                i = source.indexOf(c, i + 1) + 1;
                if (i == 0) {
                    throw new Malformed("the quote is not closed");
                }
            } else if (Character.isLetterOrDigit(c) || c == '_' || c == '.') {
                while (i < source.length() && wordPart(source.charAt(i))) {
                    i++;
                }
            } else {
                i++;
            }
            tokens.add(source.substring(start, i));
        }
        return tokens;
    }

    private static boolean wordPart(char c) {
        return Character.isLetterOrDigit(c) || c == '_' || c == '.';
    }

    private void line(List<Statement> statements) throws Malformed {
        while (at + 1 < tokens.size() && tokens.get(at + 1).equals(":") && isName(tokens.get(at))) {
            statements.add(new Statement.Label(line, tokens.get(at)));
            at += 2;
        }
        if (at == tokens.size()) {
            return;
        }
        var prefixes = new ArrayList<String>();
        while (at < tokens.size() && PREFIXES.contains(lower())) {
            prefixes.add(lower());
            at++;
        }
        String word = at < tokens.size() ? lower() : "";
        at++;
        if (DATA.containsKey(word)) {
            statements.add(new Statement.Data(line, DATA.get(word), values()));
        } else if (word.equals("align")) {
            long boundary = constant();
            if (boundary <= 0 || Long.bitCount(boundary) != 1 || boundary > 1 << 20) {
                throw new Malformed("align wants a power of two");
            }
            statements.add(new Statement.Align(line, (int) boundary));
        } else if (word.equals("resb")) {
            statements.add(new Statement.Reserve(line, (int) Math.min(Math.max(constant(), 0), 1 << 24)));
        } else if (isName(word)) {
            statements.add(new Statement.Code(line, prefixes, word, arguments()));
        } else {
            throw new Malformed("an instruction is expected, not '" + word + "'");
        }
        if (at < tokens.size()) {
            throw new Malformed("'" + tokens.get(at) + "' is not expected here");
        }
    }

    private long constant() throws Malformed {
        Statement.Value value = value();
        if (value.label().isPresent()) {
            throw new Malformed("a number is expected");
        }
        return value.constant();
    }

    private List<Statement.Value> values() throws Malformed {
        var values = new ArrayList<Statement.Value>();
        do {
            if (at < tokens.size() && tokens.get(at).startsWith("\"")) {
                String text = tokens.get(at++);
                text.substring(1, text.length() - 1).chars().forEach(c -> values.add(Statement.Value.of(c)));
            } else {
                values.add(value());
            }
        } while (accept(","));
        return values;
    }

    private List<Statement.Argument> arguments() throws Malformed {
        var arguments = new ArrayList<Statement.Argument>();
        if (at < tokens.size()) {
            do {
                arguments.add(argument());
            } while (accept(","));
        }
        return arguments;
    }

    private Statement.Argument argument() throws Malformed {
        int bytes = 0;
        while (at + 1 < tokens.size() && !tokens.get(at + 1).equals(",") && sizeWord(lower())) {
            bytes = SIZES.getOrDefault(lower(), bytes);
            at++;
        }
        if (at == tokens.size()) {
            throw new Malformed("an operand is missing");
        }
        Optional<String> segment = Optional.empty();
        if (at + 1 < tokens.size()
                && tokens.get(at + 1).equals(":")
                && Register.named(lower())
                        .filter(r -> r.file() == Register.File.SEGMENT)
                        .isPresent()) {
            segment = Optional.of(lower());
            at += 2;
        }
        if (accept("[")) {
            return memory(bytes, segment);
        }
        if (Register.named(lower()).isPresent()) {
            return new Statement.Argument.Reg(tokens.get(at++).toLowerCase(Locale.ROOT));
        }
        Statement.Value value = value();
        if (accept(":")) {
            return new Statement.Argument.Far(value, value());
        }
        return new Statement.Argument.Constant(value);
    }

    private static boolean sizeWord(String word) {
        return SIZES.containsKey(word) || word.equals("ptr") || word.equals("short");
    }

    private Statement.Argument memory(int bytes, Optional<String> outer) throws Malformed {
        Optional<String> segment = outer;
        Optional<String> base = Optional.empty();
        Optional<String> index = Optional.empty();
        int scale = 1;
        long constant = 0;
        Optional<String> label = Optional.empty();
        if (at + 1 < tokens.size() && tokens.get(at + 1).equals(":")) {
            segment = Optional.of(lower());
            at += 2;
        }
        int sign = 1;
        do {
            if (at == tokens.size()) {
                throw new Malformed("']' is missing");
            }
            String word = lower();
            if (Register.named(word).isPresent()) {
                at++;
                int factor = accept("*") ? (int) number(tokens.get(at++)) : 0;
                if (sign < 0 || (factor != 0 && factor != 1 && factor != 2 && factor != 4 && factor != 8)) {
                    throw new Malformed("an index can be scaled by 1, 2, 4 or 8");
                }
                if (factor == 0 && base.isEmpty()) {
                    base = Optional.of(word);
                } else if (index.isEmpty()) {
                    index = Optional.of(word);
                    scale = Math.max(1, factor);
                } else {
                    throw new Malformed("too many registers in an address");
                }
            } else if (isName(word)) {
                label = Optional.of(tokens.get(at++));
            } else {
                constant += sign * number(tokens.get(at++));
            }
            sign = at < tokens.size() && tokens.get(at).equals("-") ? -1 : 1;
        } while (accept("+") || accept("-"));
        if (!accept("]")) {
            throw new Malformed("']' is missing");
        }
        return new Statement.Argument.Memory(bytes, segment, base, index, scale, new Statement.Value(constant, label));
    }

    private Statement.Value value() throws Malformed {
        long constant = 0;
        Optional<String> label = Optional.empty();
        int sign = accept("-") ? -1 : 1;
        do {
            if (at == tokens.size()) {
                throw new Malformed("a number is expected");
            }
            String word = tokens.get(at++);
            if (isName(word)) {
                label = Optional.of(word);
            } else {
                constant += sign * number(word);
            }
            sign = at < tokens.size() && tokens.get(at).equals("-") ? -1 : 1;
        } while (accept("+") || accept("-"));
        return new Statement.Value(constant, label);
    }

    private static long number(String word) throws Malformed {
        try {
            String digits = word.toLowerCase(Locale.ROOT).replace("_", "");
            if (digits.startsWith("'") && digits.length() == 3) {
                return word.charAt(1);
            }
            if (digits.startsWith("0x")) {
                return Long.parseUnsignedLong(digits.substring(2), 16);
            }
            if (digits.startsWith("0b")) {
                return Long.parseUnsignedLong(digits.substring(2), 2);
            }
            return Long.parseUnsignedLong(digits);
        } catch (NumberFormatException e) {
            throw new Malformed("'" + word + "' is not a number");
        }
    }

    private static boolean isName(String word) {
        return !word.isEmpty() && (Character.isLetter(word.charAt(0)) || "_.".indexOf(word.charAt(0)) >= 0);
    }

    private boolean accept(String token) {
        if (at < tokens.size() && tokens.get(at).equals(token)) {
            at++;
            return true;
        }
        return false;
    }

    private String lower() {
        return tokens.get(at).toLowerCase(Locale.ROOT);
    }
}
