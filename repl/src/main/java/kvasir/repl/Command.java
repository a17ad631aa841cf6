package kvasir.repl;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import kvasir.scripts.bench.Benchmark;
import kvasir.scripts.bench.Benchmarks;
import kvasir.scripts.coverage.Coverage;
import kvasir.scripts.coverage.Coverages;

/** What may follow {@code kvs}. */
@SuppressWarnings("ImmutableEnumChecker") // the options are made by List.of
enum Command {
    RUN(
            "run",
            "FILE|FOLDER ...",
            "run scripts: every test under every semantics, each in a machine of its own",
            List.of(
                    new Option("--filter", "TEXT", "only tests whose `file: name` contains TEXT"),
                    new Option("--semantics", "NAMES", "only under these, comma-separated (rfc, sean, v6.16 ...)"),
                    new Option("--trace", "", "print every event of the machine as it happens"),
                    new Option("--invariants", "", "check after every event what must always hold"),
                    new Option("--update", "", "rewrite the `shows` pictures that differ, in the files"),
                    new Option("--quiet", "", "print failures and the closing line only"),
                    new Option("--tap", "", "print TAP version 14 instead of lines for a person"),
                    new Option("--junit", "FILE", "write a JUnit XML report as well"),
                    new Option("--json", "FILE", "write a report for programs as well"),
                    new Option("--html", "FILE", "write a report for people as well, one page"),
                    new Option(
                            "--engine",
                            "NAME",
                            "translator (default), interpreter, or both, compared: how guest code is executed"),
                    new Option("--seed", "NUMBER", "of everything random in the machine (default 1)"),
                    new Option(
                            "--budget", "NUMBER", "guest instructions that one run may retire (default 100000000)"))),
    REPL(
            "repl",
            "",
            "talk to one machine, line by line; the default on a terminal",
            List.of(new Option("--semantics", "NAME", "of the machine (default: the newest)"))),
    MATRIX(
            "matrix",
            "FILE|FOLDER ...",
            "questions against semantics: a table in which each answer comes from a run",
            List.of(
                    new Option("--semantics", "NAMES", "only these columns, comma-separated"),
                    new Option("--markdown", "", "as a Markdown table"))),
    EXPLORE(
            "explore",
            "FILE|FOLDER ...",
            "every interleaving of the races in scripts, or of a part of them",
            List.of(
                    new Option("--filter", "TEXT", "only races whose `file: name` contains TEXT"),
                    new Option("--semantics", "NAMES", "only under these, comma-separated"),
                    new Option("--preemptions", "NUMBER", "no schedules with more, whatever the races say"),
                    new Option("--states", "NUMBER", "stop behind so many states, whatever the races say"),
                    new Option("--invariants", "", "check in every state what must always hold"),
                    new Option("--no-symmetry", "", "search the mirror images of a state too"),
                    new Option("--no-merging", "", "take steps that concern no other task one by one"),
                    new Option("--shard", "I/N", "part I of N of each search; kvs merge joins the reports"),
                    new Option("--replay", "TOKEN", "run one schedule instead, as k1:12B, step by step"),
                    new Option("--trace", "", "with --replay: print every event of the machine as it happens"),
                    new Option("--json", "FILE", "write all that was found for programs and for kvs merge"),
                    new Option("--svg", "FOLDER", "draw the shortest schedule of each end that should not be"),
                    new Option("--quiet", "", "print failures and the closing line only"),
                    new Option("--seed", "NUMBER", "of everything random in the machine (default 1)"),
                    new Option(
                            "--budget", "NUMBER", "guest instructions that one run may retire (default 100000000)"))),
    MERGE(
            "merge",
            "FILE ...",
            "join the reports of all shards of kvs explore",
            List.of(new Option("--json", "FILE", "write the joined report"))),
    COVERAGE(
            "coverage",
            "WHAT [SUITE ...]",
            "run scripts and tell how much of what can happen they provoke; WHAT is " + coverages(),
            List.of()),
    BENCH(
            "bench",
            "WHAT",
            "measure speed, each workload beside a yardstick in the same run; WHAT is " + benchmarks(),
            List.of(new Option("--rounds", "NUMBER", "how often each is measured (default 5)"))),
    CHECK("check", "FILE|FOLDER ...", "tell what is wrong with scripts without running them", List.of()),
    FMT(
            "fmt",
            "FILE|FOLDER ...",
            "write scripts in the canonical layout",
            List.of(new Option("--check", "", "change nothing; name the files that would change and exit with 2"))),
    EXPLAIN("explain", "CODE", "explain an error code, E0204 for example", List.of()),
    REFERENCE(
            "reference",
            "[NAME]",
            "print the reference manual, one object of it, `instructions`, `msrs`, or one of either",
            List.of(new Option("--types", "", "print the same as kvs-api.d.ts, for editors of JavaScript"))),
    SNP_DIGEST(
            "snp-digest",
            "OVMF",
            "launch an SNP guest from a firmware image on an emulated platform, and print what was measured",
            List.of(
                    new Option("--mode", "MODE", "snp, sev-es or sev (default snp)"),
                    new Option("--vmm", "TYPE", "qemu, ec2 or gce (default qemu)"),
                    new Option("--vcpus", "NUMBER", "how many (default 1)"),
                    new Option("--vcpu-type", "NAME", "QEMU's name of the processor (default EPYC-v4)"),
                    new Option("--vcpu-sig", "NUMBER", "CPUID 1 EAX instead of a name"),
                    new Option("--features", "NUMBER", "SEV_FEATURES (default 1; 0x21 with DebugSwap)"),
                    new Option("--kernel", "FILE", "of a direct boot"),
                    new Option("--initrd", "FILE", "of a direct boot"),
                    new Option("--append", "LINE", "kernel command line"),
                    new Option("--ovmf-hash", "HEX", "launch digest after the image, instead of its content"),
                    new Option("--ledger", "", "print every page that was measured"),
                    new Option("--diff", "OVMF", "name the first page in which a launch of this image differs"))),
    BOOT(
            "boot",
            "FILE|FOLDER",
            "boot a multiboot kernel: its serial port on standard output, its debug-exit code (value * 2 + 1) as exit "
                    + "code; with a folder of kvm-unit-tests: a table of what its unittests.cfg lists",
            List.of(
                    new Option("--filter", "TEXT", "of a folder only tests whose name contains TEXT"),
                    new Option("--args", "LINE", "its command line (of Linux: default console=ttyS0)"),
                    new Option("--initrd", "FILE", "the initial RAM disk of a Linux kernel"),
                    new Option("--smp", "NUMBER", "vCPUs (default 1)"),
                    new Option("--smp-threads", "", "each vCPU runs on a thread of its own; else they take turns"),
                    new Option("--memory", "SIZE", "guest memory (default 128M, at most 3G)"),
                    new Option(
                            "--cpu",
                            "MODEL",
                            "SapphireRapids or EPYC-Milan; features behind it: EPYC-Milan,-pcid,+la57"),
                    new Option("--no-pit", "", "without interval timer"),
                    new Option(
                            "--firmware",
                            "",
                            "FILE is a PC firmware (SeaBIOS) that ends at 4G; its debug console is printed"),
                    new Option("--console", "", "standard input is the serial port's; on a terminal Ctrl-] leaves"),
                    new Option("--input", "FILE", "bytes that arrive at the serial port"),
                    new Option(
                            "--engine",
                            "NAME",
                            "translator (default), interpreter, or both, compared: how guest code is executed"),
                    new Option(
                            "--budget",
                            "NUMBER",
                            "instructions of all vCPUs together (default 10000000000; of each test in a folder 100000000000)"))),
    LOCKSTEP(
            "lockstep",
            "[FILE]",
            "step a program (bytes, or assembly text in FILE.asm) on our processor and on QEMU's until they differ",
            List.of(
                    new Option(
                            "--bits",
                            "16|32|64",
                            "real mode at 0:7C00h like a boot sector (default), or flat at 8000h"),
                    new Option("--steps", "NUMBER", "instructions at most (default 100000; of each random program 64)"),
                    new Option("--random", "NUMBER", "that many random programs instead of a file"),
                    new Option("--seed", "NUMBER", "of the random programs (default 1)"))),
    VERSION("version", "", "print the version", List.of()),
    HELP("help", "[COMMAND|NAME]", "print help for a command, or for a name that scripts use", List.of());

    private final String word;
    private final String operands;
    private final String doc;
    private final List<Option> options;

    Command(String word, String operands, String doc, List<Option> options) {
        this.word = word;
        this.operands = operands;
        this.doc = doc;
        this.options = options;
    }

    /**
     * An option of a command.
     *
     * @param name with its dashes
     * @param value what follows it; empty for a flag
     */
    record Option(String name, String value, String doc) {}

    private static String coverages() {
        return Coverages.all().stream().map(Coverage::word).collect(Collectors.joining(", "));
    }

    private static String benchmarks() {
        return Benchmarks.all().stream().map(Benchmark::word).collect(Collectors.joining(", "));
    }

    static Optional<Command> of(String word) {
        return Stream.of(values()).filter(command -> command.word.equals(word)).findFirst();
    }

    String word() {
        return word;
    }

    String doc() {
        return doc;
    }

    /** What stands after the options; empty if nothing may. */
    String operands() {
        return operands;
    }

    /** Whether at least one operand must be given. */
    boolean needsOperands() {
        return !operands.isEmpty() && !operands.startsWith("[");
    }

    /** Whether more than one operand may be given. */
    boolean takesMany() {
        return operands.contains("...");
    }

    List<Option> options() {
        return options;
    }

    Optional<Option> option(String name) {
        return options.stream().filter(option -> option.name().equals(name)).findFirst();
    }

    /** {@code usage: kvs run [options] FILE|FOLDER ...}. */
    String usage() {
        return "usage: kvs " + word + (options.isEmpty() ? "" : " [options]")
                + (operands.isEmpty() ? "" : " " + operands);
    }

    /** Usage, purpose and options, lines without a last newline. */
    String help() {
        var text = new StringBuilder(usage()).append('\n').append(doc).append('\n');
        for (Option option : options) {
            String left = option.value().isEmpty() ? option.name() : option.name() + " " + option.value();
            text.append("  %-20s %s\n".formatted(left, option.doc()));
        }
        return text.toString().stripTrailing();
    }
}
