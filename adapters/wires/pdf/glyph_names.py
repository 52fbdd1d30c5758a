"""Names of glyphs that every reader knows: those of the Latin encodings of PDF.

Each of them is one letter, or a ligature of two or three.
"""

from __future__ import annotations

KNOWN = frozenset(
    b"""
    AE Aacute Acircumflex Adieresis Agrave Aring Atilde CR Ccedilla DEL DLE Delta Eacute
    Ecircumflex Edieresis Egrave Eth Euro HT Iacute Icircumflex Idieresis Igrave LF Lslash NUL
    Ntilde OE Oacute Ocircumflex Odieresis Ograve Omega Oslash Otilde RS Scaron Thorn US
    Uacute Ucircumflex Udieresis Ugrave Yacute Ydieresis Zcaron aacute acircumflex acute
    adieresis ae agrave ampersand apple approxequal aring asciicircum asciitilde asterisk at
    atilde backslash bar braceleft braceright bracketleft bracketright breve brokenbar bullet
    caron ccedilla cedilla cent circumflex colon comma copyright currency dagger daggerdbl
    degree dieresis divide dollar dotaccent dotlessi eacute ecircumflex edieresis egrave eight
    ellipsis emdash endash equal eth exclam exclamdown ff ffi ffl fi five fl florin four
    fraction germandbls grave greater greaterequal guillemotleft guillemotright guilsinglleft
    guilsinglright hungarumlaut hyphen iacute icircumflex idieresis igrave infinity integral
    less lessequal logicalnot lozenge lslash macron minus mu multiply nbspace nine notequal
    ntilde numbersign oacute ocircumflex odieresis oe ogonek ograve one onehalf onequarter
    onesuperior ordfeminine ordmasculine oslash otilde paragraph parenleft parenright
    partialdiff percent period periodcentered perthousand pi plus plusminus product question
    questiondown quotedbl quotedblbase quotedblleft quotedblright quoteleft quoteright
    quotesinglbase quotesingle radical registered ring scaron section semicolon seven six
    slash space sterling summation thorn three threequarters threesuperior tilde trademark two
    twosuperior uacute ucircumflex udieresis ugrave underscore yacute ydieresis yen zcaron
    zero
    """.split()
)
