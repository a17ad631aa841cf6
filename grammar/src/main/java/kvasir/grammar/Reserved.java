package kvasir.grammar;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The reserved words, each with the form it is written in. Behind a dot they are ordinary names. */
public enum Reserved {
    SEMANTICS("semantics name, name", "the behaviours of the kernel that the script runs under"),
    VM("vm name = type { ... }", "declares a virtual machine"),
    GUEST("guest name = asm64 { ... }", "declares a guest program"),
    LET("let name = value", "names a value"),
    FN("fn name(a, b) { ... }", "declares a function"),
    RETURN("return value", "ends a function with a value"),
    TEST("test \"name\" { ... }", "declares a test"),
    SETUP("setup { ... }", "runs before each test"),
    ON("on name { ... }", "runs under those semantics only"),
    ASSERT("assert condition", "ends the test unless the condition holds"),
    RACE("race \"name\" { label: operation ... }", "runs operations in every interleaving"),
    EXPLORE("race \"name\" { ... } explore { preemptions 3 }", "bounds the interleavings of a race"),
    ALWAYS("always condition", "must hold at the end of every schedule of a race"),
    NEVER("never condition", "must hold at the end of no schedule of a race"),
    SOMETIMES("sometimes condition", "must hold at the end of some schedule of a race"),
    SHOW("show value", "prints a value or the picture of an object"),
    FOR("for name in list { ... }", "runs once for each item of a list or each number of a range"),
    IN("for name in list { ... }", "stands between the variable of `for` and its list"),
    IF("if condition { ... } else { ... }", "runs one of two blocks"),
    ELSE("if condition { ... } else { ... }", "the block that runs when no condition held"),
    IMPORT("import \"file.kvs\"", "brings in what another file declares"),
    IS("value is pattern", "whether a value matches a pattern"),
    SHOWS("object shows \"\"\"...\"\"\"", "whether the picture of an object is this one"),
    NOT("not condition", "the opposite of a condition"),
    AND("condition and condition", "whether both hold"),
    OR("condition or condition", "whether one of them holds"),
    TRUE("true", "the condition that holds"),
    FALSE("false", "the condition that does not hold");

    private static final List<String> WORDS =
            Arrays.stream(values()).map(Reserved::word).toList();

    private static final List<String> STATEMENTS = WORDS.subList(0, IMPORT.ordinal() + 1).stream()
            .filter(word -> !word.equals("in"))
            .toList();

    private final String form;
    private final String doc;

    Reserved(String form, String doc) {
        this.form = form;
        this.doc = doc;
    }

    /** As scripts write it. */
    public String word() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    /** How a sentence with it looks. */
    public String form() {
        return form;
    }

    /** What it does, in one line without a full stop. */
    public String doc() {
        return doc;
    }

    /** All of them, in the order in which the reference presents them. */
    public static List<String> words() {
        return WORDS;
    }

    /** Those that can begin a statement or a clause of one. */
    public static List<String> statements() {
        return STATEMENTS;
    }

    /** The reserved word spelt {@code text}, if it is one. */
    public static Optional<Reserved> of(String text) {
        int index = WORDS.indexOf(text);
        return index < 0 ? Optional.empty() : Optional.of(values()[index]);
    }
}
