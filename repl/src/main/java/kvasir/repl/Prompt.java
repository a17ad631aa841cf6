package kvasir.repl;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import kvasir.grammar.Kvs;
import kvasir.grammar.Lexemes;
import kvasir.scripts.SerialConsole;
import kvasir.scripts.Session;
import org.jline.reader.Candidate;
import org.jline.reader.Completer;
import org.jline.reader.CompletingParsedLine;
import org.jline.reader.EOFError;
import org.jline.reader.EndOfFileException;
import org.jline.reader.Highlighter;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;

/** The prompt on a terminal: history, completion with documentation, colours, several lines, Ctrl-C and Ctrl-D. */
final class Prompt {
    private static final String FIRST = "kvs> ";
    private static final String NEXT = " ... ";

    private Prompt() {}

    /** Talks until the person leaves. */
    static int run(Conversation conversation, Console console) throws IOException {
        try (Terminal terminal = TerminalBuilder.builder().system(true).build()) {
            return talk(conversation, terminal, history(), console.colours());
        }
    }

    /** The file is kept where programs keep their state; nobody's home directory gets a new dot file. */
    private static Optional<Path> history() {
        String state = System.getenv("XDG_STATE_HOME");
        String home = System.getProperty("user.home", "");
        if ((state == null || state.isBlank()) && home.isBlank()) {
            return Optional.empty();
        }
        Path folder = (state == null || state.isBlank() ? Path.of(home, ".local", "state") : Path.of(state))
                .resolve("kvasir");
        try {
            Files.createDirectories(folder);
            return Optional.of(folder.resolve("history"));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Talks on {@code terminal}. */
    static int talk(Conversation conversation, Terminal terminal, Optional<Path> history, boolean colours) {
        LineReaderBuilder builder = LineReaderBuilder.builder()
                .terminal(terminal)
                .appName("kvs")
                .parser(new Reading())
                .completer(new Completing(conversation))
                .variable(LineReader.SECONDARY_PROMPT_PATTERN, NEXT)
                .variable(LineReader.INDENTATION, 4)
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                .option(LineReader.Option.AUTO_LIST, true)
                .option(LineReader.Option.LIST_PACKED, true)
                .option(LineReader.Option.HISTORY_IGNORE_SPACE, true);
        if (colours) {
            builder.highlighter(new Colouring(conversation.builtIns()));
        }
        history.ifPresent(file -> builder.variable(LineReader.HISTORY_FILE, file));
        LineReader reader = builder.build();
        terminal.writer()
                .println("kvs " + Version.TEXT + " under "
                        + conversation.session().choice().semantics() + "; :help tells what may be said");
        while (true) {
            try {
                String text = reader.readLine(FIRST);
                if (!answer(conversation, terminal, text)) {
                    return 0;
                }
            } catch (UserInterruptException e) {
                terminal.writer().println("(Ctrl-D leaves)");
            } catch (EndOfFileException e) {
                return 0;
            }
        }
    }

    /** Answers one input; false if the person wants to leave. */
    private static boolean answer(Conversation conversation, Terminal terminal, String text) {
        Terminal.SignalHandler before = terminal.handle(
                Terminal.Signal.INT, signal -> conversation.session().interrupt());
        try {
            switch (conversation.say(text)) {
                case Conversation.Turn.Bye() -> {
                    return false;
                }
                case Conversation.Turn.Attach(SerialConsole guest) ->
                    terminal.writer().println(GuestTerminal.attach(guest, terminal));
                case Conversation.Turn.More() ->
                    terminal.writer().println("error: this ends in the middle of a statement");
                case Conversation.Turn.Said(var lines) -> lines.forEach(terminal.writer()::println);
            }
            terminal.flush();
            return true;
        } finally {
            terminal.handle(Terminal.Signal.INT, before);
        }
    }

    /** A whole input is one word to JLine; what may stand at the cursor is the session's to say. */
    private record Input(String line, int cursor, int start) implements CompletingParsedLine {
        @Override
        public String word() {
            return line.substring(start, end());
        }

        private int end() {
            int end = cursor;
            while (end < line.length() && Reading.isPartOfWord(line.charAt(end))) {
                end++;
            }
            return end;
        }

        @Override
        public int wordCursor() {
            return cursor - start;
        }

        @Override
        public int wordIndex() {
            return words().size() - 1;
        }

        @Override
        public List<String> words() {
            return List.of(word());
        }

        @Override
        public CharSequence escape(CharSequence candidate, boolean complete) {
            return candidate;
        }

        @Override
        public int rawWordCursor() {
            return wordCursor();
        }

        @Override
        public int rawWordLength() {
            return word().length();
        }
    }

    /** Asks for further lines while the input is the beginning of something. */
    private static final class Reading implements Parser {
        static boolean isPartOfWord(char c) {
            return Character.isLetterOrDigit(c) || c == '_';
        }

        @Override
        public ParsedLine parse(String line, int cursor, ParseContext context) {
            boolean command = line.stripLeading().startsWith(":");
            if (context == ParseContext.ACCEPT_LINE && !command && Kvs.isIncomplete(line)) {
                throw new EOFError(-1, cursor, "more lines are needed", "");
            }
            int start = cursor;
            while (start > 0 && (isPartOfWord(line.charAt(start - 1)) || line.charAt(start - 1) == ':')) {
                start--;
            }
            return new Input(line, cursor, start);
        }
    }

    /** Candidates grouped by what they are, with their documentation. */
    private record Completing(Conversation conversation) implements Completer {
        @Override
        public void complete(LineReader reader, ParsedLine parsed, List<Candidate> candidates) {
            String line = parsed.line();
            if (line.stripLeading().startsWith(":")
                    && line.substring(0, parsed.cursor()).indexOf(' ') < 0) {
                for (Conversation.Word word : Conversation.WORDS) {
                    candidates.add(new Candidate(word.name(), word.name(), "commands", word.doc(), null, null, true));
                }
                return;
            }
            Session.Completion completion = conversation.session().complete(line, parsed.cursor());
            int order = 0;
            for (Session.Candidate candidate : completion.candidates()) {
                String doc = candidate.doc().isEmpty()
                        ? candidate.signature()
                        : candidate.signature() + "  " + candidate.doc();
                candidates.add(new Candidate(
                        candidate.text(), candidate.text(), candidate.group(), doc, null, null, true, order++));
            }
        }
    }

    /** Colours a line while it is typed. */
    private record Colouring(Set<String> names) implements Highlighter {
        @Override
        public AttributedString highlight(LineReader reader, String buffer) {
            var line = new AttributedStringBuilder();
            int at = 0;
            for (Lexemes.Styled piece : Lexemes.classify(buffer, names)) {
                line.append(buffer, at, piece.start());
                line.styled(style(piece.style()), buffer.substring(piece.start(), piece.end()));
                at = piece.end();
            }
            return line.append(buffer, at, buffer.length()).toAttributedString();
        }

        private static AttributedStyle style(Lexemes.Style style) {
            return switch (style) {
                case KEYWORD -> AttributedStyle.BOLD.foreground(AttributedStyle.MAGENTA);
                case BUILTIN -> AttributedStyle.DEFAULT.foreground(AttributedStyle.CYAN);
                case LABEL -> AttributedStyle.DEFAULT.italic();
                case NUMBER -> AttributedStyle.DEFAULT.foreground(AttributedStyle.YELLOW);
                case STRING -> AttributedStyle.DEFAULT.foreground(AttributedStyle.GREEN);
                case COMMENT -> AttributedStyle.DEFAULT.faint();
                case MNEMONIC -> AttributedStyle.DEFAULT.foreground(AttributedStyle.BLUE);
                case WRONG -> AttributedStyle.DEFAULT.foreground(AttributedStyle.RED);
                case NAME, MEMBER, OPERATOR, BRACKET -> AttributedStyle.DEFAULT;
            };
        }

        @Override
        public void setErrorPattern(Pattern pattern) {}

        @Override
        public void setErrorIndex(int index) {}
    }
}
