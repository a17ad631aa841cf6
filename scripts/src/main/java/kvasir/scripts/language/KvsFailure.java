package kvasir.scripts.language;

import com.oracle.truffle.api.exception.AbstractTruffleException;
import com.oracle.truffle.api.interop.ExceptionType;
import com.oracle.truffle.api.interop.InteropLibrary;
import com.oracle.truffle.api.library.ExportLibrary;
import com.oracle.truffle.api.library.ExportMessage;
import kvasir.scripts.Failure;

/** A failure on its way to the language that asked for the run. */
@ExportLibrary(InteropLibrary.class)
final class KvsFailure extends AbstractTruffleException {
    private static final long serialVersionUID = 1;
    private final boolean parsing;

    /** @param parsing whether it is about the text, before anything ran */
    KvsFailure(Failure failure, boolean parsing) {
        super(failure.text());
        this.parsing = parsing;
    }

    @ExportMessage
    ExceptionType getExceptionType() {
        return parsing ? ExceptionType.PARSE_ERROR : ExceptionType.RUNTIME_ERROR;
    }
}
