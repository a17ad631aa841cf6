package kvasir.scripts;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import kvasir.metal.cpu.isa.Assembled;
import kvasir.metal.cpu.isa.AssemblyText;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.vmm.lockstep.Lockstep;

/**
 * {@code kvs lockstep}: a program, or random ones, on our processor and on QEMU's, until they differ.
 *
 * @param options the command's options by name with dashes
 */
public record LockstepTool(Map<String, String> options) {
    private static final long STEPS = 100_000;
    private static final long STEPS_OF_RANDOM = 64;
    private static final int USAGE = 1;
    private static final int MACHINE_FAILED = 3;
    private static final int DIFFERED = 4;

    /**
     * Runs it.
     *
     * @param file bytes of code, or assembly text if its name ends with .asm; without it {@code --random} must be there
     * @return 0 if they agreed, 4 if not, 1 for options or files that cannot be used, 3 if QEMU could not be driven
     */
    public int run(Optional<String> file, PrintStream out, PrintStream err) {
        try {
            CodeSize size = size();
            boolean random = options.containsKey("--random");
            if (random == file.isPresent()) {
                throw new IllegalArgumentException("give a file, or `--random NUMBER`");
            }
            byte[] code = file.isPresent() ? code(file.get(), size) : new byte[0];
            long steps = number("--steps", random ? STEPS_OF_RANDOM : STEPS);
            long programs = number("--random", 0);
            long seed = number("--seed", 1);
            try (Lockstep lockstep = Lockstep.start()) {
                return report(
                        random ? lockstep.random(size, programs, steps, seed) : lockstep.run(size, code, steps), out);
            }
        } catch (IllegalArgumentException e) {
            err.println("kvs: " + e.getMessage());
            return USAGE;
        } catch (IOException e) {
            err.println("kvs: lockstep: " + e.getMessage());
            return MACHINE_FAILED;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return MACHINE_FAILED;
        }
    }

    private static int report(Lockstep.Result result, PrintStream out) {
        return switch (result) {
            case Lockstep.Result.Agreed(long steps, String why) -> {
                out.println("agreed for " + steps + " instructions: " + why);
                yield 0;
            }
            case Lockstep.Result.Differed(long steps, long rip, String instruction, var differences) -> {
                out.println("differed after " + steps + " instructions, behind 0x" + Long.toHexString(rip) + ": "
                        + instruction);
                differences.forEach(line -> out.println("  " + line));
                yield DIFFERED;
            }
        };
    }

    private CodeSize size() {
        String bits = options.getOrDefault("--bits", "16");
        return switch (bits) {
            case "16" -> CodeSize.BITS16;
            case "32" -> CodeSize.BITS32;
            case "64" -> CodeSize.BITS64;
            default -> throw new IllegalArgumentException("option `--bits` needs 16, 32 or 64, not `" + bits + "`");
        };
    }

    private long number(String option, long otherwise) {
        String text = options.getOrDefault(option, Long.toString(otherwise));
        if (!text.matches("[0-9]{1,12}")) {
            throw new IllegalArgumentException("option `" + option + "` needs a number, not `" + text + "`");
        }
        return Long.parseLong(text);
    }

    private static byte[] code(String file, CodeSize size) {
        try {
            byte[] bytes = Files.readAllBytes(Path.of(file));
            if (!file.endsWith(".asm")) {
                return bytes;
            }
            Assembled assembled = AssemblyText.assemble(
                    size, size == CodeSize.BITS16 ? 0x7c00 : 0x8000, Files.readString(Path.of(file)));
            if (!assembled.ok()) {
                throw new IllegalArgumentException(
                        file + ": " + assembled.errors().getFirst());
            }
            return assembled.code().toArray();
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot read `" + file + "`", e);
        }
    }
}
