package kvasir.scripts;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import kvasir.metal.cpu.CpuidModel;
import kvasir.metal.cpu.Engine;
import kvasir.registry.Bytes;
import kvasir.vmm.BootRun;
import kvasir.vmm.Ended;
import kvasir.vmm.boot.BootException;
import kvasir.vmm.boot.LinuxImage;
import kvasir.vmm.boot.Multiboot;

/**
 * {@code kvs boot}: one guest from power-on to its end, its serial port on standard output.
 *
 * @param options the command's options by name with dashes; a flag has the empty value
 */
public record BootTool(Map<String, String> options) {
    /** Instructions of all vCPUs if nothing is said: about a minute. */
    private static final long BUDGET = 10_000_000_000L;

    private static final long MOST_BUDGET = 999_999_999_999_999_999L;
    private static final long MEMORY = 128 << 20;
    private static final long MOST_MEMORY = 3L << 30;
    private static final int MOST_CPUS = 254;
    private static final int MOST_FIRMWARE = 16 << 20;
    private static final int MACHINE_FAILED = 3;

    /** An option or a file that cannot be used; the message says why. */
    public static final class Refused extends Exception {
        private static final long serialVersionUID = 1;

        Refused(String message) {
            super(message);
        }
    }

    /** A guest that is loaded. */
    public static final class Guest {
        private final BootRun run;
        private final long budget;

        private Guest(BootRun run, long budget) {
            this.run = run;
            this.budget = budget;
        }

        /**
         * Runs it to its end.
         *
         * @param err told why, unless the guest ended itself
         * @return the guest's exit code, 0 if it switched itself off, or 3 if it did not end itself
         */
        public int run(PrintStream err) {
            Ended end = run.run(budget);
            if (end instanceof Ended.DebugExit(int code)) {
                return code & 0xff;
            }
            if (end instanceof Ended.PoweredOff) {
                return 0;
            }
            err.println("kvs: " + SerialConsole.reason(end));
            return MACHINE_FAILED;
        }

        /** Who types on its serial port while it runs. */
        public void connect(SerialConsole.Keyboard keyboard) {
            run.connect(keyboard);
        }

        /** Makes {@link #run} come back soon; from any thread. */
        public void interrupt() {
            run.interrupt();
        }
    }

    private Engine engine() throws Refused {
        String name = value("--engine").orElse(KvasirMachines.engines().getFirst());
        return KvasirMachines.engine(name)
                .orElseThrow(() -> new Refused(
                        "unknown engine `" + name + "`: there is " + String.join(", ", KvasirMachines.engines())));
    }

    /**
     * Makes the machine and loads the guest.
     *
     * @param out where the guest's serial port goes
     */
    public Guest load(String file, PrintStream out) throws Refused {
        long memory = value("--memory").isPresent() ? bytes(value("--memory").get()) : MEMORY;
        if (memory > MOST_MEMORY || memory < 2 << 20) {
            throw new Refused("--memory takes 2M to 3G");
        }
        int cpus = (int) number("--smp", 1, MOST_CPUS);
        boolean firmware = options.containsKey("--firmware");
        BootRun run;
        try {
            byte[] content = Files.readAllBytes(Path.of(file));
            if (firmware && (content.length == 0 || content.length > MOST_FIRMWARE || (content.length & 4095) != 0)) {
                throw new Refused(file + " is no firmware image: it has " + content.length
                        + " bytes, and 4K to 16M in whole pages are expected");
            }
            IntConsumer printer = octet -> {
                // at once: a prompt ends without a newline
                out.write(octet);
                out.flush();
            };
            var shape = new BootRun.Shape(
                    memory,
                    cpus,
                    model(),
                    !options.containsKey("--no-pit"),
                    engine(),
                    options.containsKey("--smp-threads"),
                    firmware ? content.length : 0);
            run = new BootRun(shape, printer);
            if (firmware) {
                run.firmware(content, printer);
            } else if (LinuxImage.recognises(content)) {
                Bytes initrd = value("--initrd").isPresent()
                        ? Bytes.of(Files.readAllBytes(Path.of(value("--initrd").get())))
                        : Bytes.of();
                run.linux(file, content, initrd, value("--args").orElse("console=ttyS0"), memory);
            } else if (!Multiboot.recognises(content)) {
                throw new Refused(
                        file + " is no kernel: it is neither a bzImage, nor an ELF file with a PVH entry point, "
                                + "nor a multiboot kernel");
            } else {
                run.multiboot(file, content, value("--args").orElse(""), memory);
            }
            if (value("--input").isPresent()) {
                for (byte octet : Files.readAllBytes(Path.of(value("--input").get()))) {
                    run.type(octet);
                }
            }
        } catch (IOException e) {
            throw unreadable(e);
        } catch (BootException e) {
            throw new Refused(String.valueOf(e.getMessage()));
        }
        // nobody counts instructions while somebody types
        long budget = options.containsKey("--console") ? MOST_BUDGET : BUDGET;
        return new Guest(run, number("--budget", budget, Long.MAX_VALUE));
    }

    /** What a person is told of a file that cannot be read. */
    static Refused unreadable(IOException e) {
        String why = switch (e) {
            case NoSuchFileException _ -> ": there is no such file";
            case AccessDeniedException _ -> ": permission denied";
            default -> "";
        };
        return new Refused("cannot read " + e.getMessage() + why);
    }

    private Optional<String> value(String option) {
        return Optional.ofNullable(options.get(option));
    }

    private long number(String option, long otherwise, long most) throws Refused {
        String text = value(option).orElse(Long.toString(otherwise));
        if (!text.matches("[0-9]{1,18}") || Long.parseLong(text) < 1 || Long.parseLong(text) > most) {
            throw new Refused(option + " needs a number"
                    + (most == Long.MAX_VALUE ? ", at least 1" : " from 1 to " + most) + ", not `" + text + "`");
        }
        return Long.parseLong(text);
    }

    private static long bytes(String text) throws Refused {
        if (!text.matches("[0-9]{1,9}[KMG]?")) {
            throw new Refused("--memory needs a size such as 128M or 2G, not `" + text + "`");
        }
        int last = text.length() - 1;
        int shift = switch (text.charAt(last)) {
            case 'K' -> 10;
            case 'M' -> 20;
            case 'G' -> 30;
            default -> 0;
        };
        return Long.parseLong(shift == 0 ? text : text.substring(0, last)) << shift & -4096L;
    }

    /** The model that {@code --cpu NAME,+feature,-feature} names. */
    private CpuidModel model() throws Refused {
        String wanted = value("--cpu").orElse(CpuidModel.standard().name());
        Optional<CpuidModel> found = CpuidModel.named(wanted);
        if (found.isPresent()) {
            return found.get();
        }
        List<String> words = List.of(wanted.split(",", -1));
        for (String word : words.subList(1, words.size())) {
            if (!isFeature(word)) {
                throw new Refused("`" + word + "` is not +FEATURE or -FEATURE of a processor that is emulated");
            }
        }
        throw new Refused("there is no processor model `" + words.getFirst() + "`; there are "
                + CpuidModel.all().stream().map(CpuidModel::name).collect(Collectors.joining(", ")));
    }

    /** Whether {@code word} is +FEATURE or -FEATURE of a processor that is emulated. */
    static boolean isFeature(String word) {
        return CpuidModel.feature(word).isPresent();
    }

    /**
     * Runs every guest that the {@code unittests.cfg} of a folder lists, and prints a table.
     *
     * @param live whether the line of a test is shown while it runs, for a person at a terminal
     * @return 0 if none failed, else 4
     */
    public int suite(Path folder, PrintStream out, boolean live) throws Refused {
        return new UnitTestTable(options, out, live).run(folder);
    }
}
