package kvasir.repl;

/** The run from which the launcher's AOT cache is made: it walks the paths of one kind of use. */
final class Training {
    private Training() {}

    /** @param args one word: {@code kvs}, {@code js}, {@code repl} or {@code cli} */
    public static void main(String[] args) {
        System.out.println(args[0]);
    }
}
