package kvasir.scripts.js;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;
import kvasir.grammar.Kvs;
import kvasir.grammar.SourceFile;
import kvasir.grammar.Statement;

/** Modules through which JavaScript imports {@code .kvs} files: an export for each top-level name. */
final class KvsModules implements ScriptFiles.Generated {
    @Override
    public boolean covers(Path file) {
        return file.toString().endsWith(".kvs");
    }

    @Override
    public String text(Path file) throws IOException {
        var names = new LinkedHashSet<String>();
        declared(file, names);
        var text = new StringBuilder("import { imported } from \"kvs\";\nconst names = imported(\"")
                .append(file.toAbsolutePath().toString().replace("\\", "\\\\").replace("\"", "\\\""))
                .append("\");\n");
        names.forEach(name -> text.append("export const ")
                .append(name)
                .append(" = names.")
                .append(name)
                .append(";\n"));
        return text.toString();
    }

    /** Names that an error in the file would hide are left out; running the import tells the error itself. */
    private static void declared(Path file, Set<String> names) throws IOException {
        var source = new SourceFile(file.toString(), Files.readString(file));
        for (Statement statement : Kvs.parse(source).script().statements()) {
            switch (statement) {
                case Statement.Vm vm -> names.add(vm.name().text());
                case Statement.Guest guest -> names.add(guest.name().text());
                case Statement.Let let -> names.add(let.name().text());
                case Statement.Function function -> names.add(function.name().text());
                default -> {}
            }
        }
    }
}
