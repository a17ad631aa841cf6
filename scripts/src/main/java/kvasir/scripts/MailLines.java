package kvasir.scripts;

/** Lines that survive a mail: none is longer than 80 columns, with the margin that reports put before them. */
public final class MailLines {
    /** Columns of a line without its margin. */
    public static final int COLUMNS = 70;

    /** A space at which no line is broken. */
    public static final String TIE = "\u00a0";

    private MailLines() {}

    /**
     * {@code line} in lines of at most {@link #COLUMNS}, broken at spaces; all but the first begin with {@code indent}
     * spaces. A word that is longer than a line stands alone; a {@link #TIE} is no place to break.
     */
    public static String fold(String line, int indent) {
        var out = new StringBuilder();
        String rest = line;
        String margin = "";
        while (margin.length() + rest.length() > COLUMNS) {
            int lead = rest.length() - rest.stripLeading().length();
            int at = rest.lastIndexOf(' ', COLUMNS - margin.length());
            if (at <= lead) {
                at = rest.indexOf(' ', lead);
            }
            if (at < 0) {
                break;
            }
            out.append(margin).append(rest.substring(0, at).stripTrailing()).append('\n');
            rest = rest.substring(at).strip();
            margin = " ".repeat(indent);
        }
        return out.append(margin).append(rest).toString().replace(TIE, " ");
    }
}
