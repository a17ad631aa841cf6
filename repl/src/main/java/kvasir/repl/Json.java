package kvasir.repl;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;

/** How our JSON looks: indented, the same bytes on every machine. */
final class Json {
    private Json() {}

    /** What writes a document. */
    interface Content {
        void write(JsonGenerator json) throws IOException;
    }

    /** The whole document as text. */
    static String document(Content content) {
        var text = new StringWriter();
        var indented = new DefaultPrettyPrinter();
        indented.indentObjectsWith(DefaultIndenter.SYSTEM_LINEFEED_INSTANCE.withLinefeed("\n"));
        indented.indentArraysWith(DefaultIndenter.SYSTEM_LINEFEED_INSTANCE.withLinefeed("\n"));
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.setPrettyPrinter(indented);
            content.write(json);
        } catch (IOException e) {
            throw new UncheckedIOException("a text cannot fail to be written", e);
        }
        return text.append('\n').toString();
    }
}
