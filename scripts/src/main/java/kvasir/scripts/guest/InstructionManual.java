package kvasir.scripts.guest;

import java.util.Optional;
import kvasir.metal.cpu.isa.InstructionReference;

/** What the assembler of {@code asm16}, {@code asm32} and {@code asm64} knows, as text. */
public final class InstructionManual {
    private InstructionManual() {}

    /** All instructions. */
    public static String page() {
        return InstructionReference.page();
    }

    /** The encodings of one mnemonic; empty if there is no such instruction. */
    public static Optional<String> page(String mnemonic) {
        return InstructionReference.page(mnemonic);
    }
}
