package kvasir.scripts.js;

import java.nio.file.Path;

/** Modules through which JavaScript imports {@code .kvs} files. */
final class KvsModules implements ScriptFiles.Generated {
    @Override
    public boolean covers(Path file) {
        return file.toString().endsWith(".kvs");
    }

    @Override
    public String text(Path file) {
        throw new UnsupportedOperationException(file.toString());
    }
}
