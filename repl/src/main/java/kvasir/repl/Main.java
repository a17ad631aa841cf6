package kvasir.repl;

/** The {@code kvs} command. */
final class Main {
    private Main() {}

    /** Runs one command and ends the process with its exit code. */
    public static void main(String[] args) {
        int code = run(args);
        System.out.flush();
        System.err.flush();
        // Not System.exit: it loads the loggers, a tenth of the start-up of a small script.
        Runtime.getRuntime().halt(code);
    }

    private static int run(String[] args) {
        System.out.println("kvs 0.1.0");
        return args.length == 0 ? 0 : 1;
    }
}
