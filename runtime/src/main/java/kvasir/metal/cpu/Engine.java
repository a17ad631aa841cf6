package kvasir.metal.cpu;

/** How a processor executes. What the guest sees is the same. */
public enum Engine {
    /** Every instruction by the block interpreter. */
    INTERPRETER,

    /** Hot code is translated to bytecode beside the running guest. */
    TRANSLATOR,

    /** As {@link #TRANSLATOR}, and the guest waits for each translation: for tests, which then know what they test. */
    TRANSLATOR_AT_ONCE,

    /** Every piece of code by the interpreter and by the translator, from the same state; they must not differ. */
    BOTH
}
