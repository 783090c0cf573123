; What stands in for the program in try_installer.py: writes what it was started with where the program keeps its data.
; With --stay it runs for two minutes, as a window does that somebody has open.
Unicode true
!ifdef TARGET
  Target ${TARGET}
!endif
OutFile "${OUT}"
SilentInstall silent
RequestExecutionLevel user
!include "FileFunc.nsh"
Section
  ${GetParameters} $0
  CreateDirectory "$LOCALAPPDATA\fireside"
  FileOpen $1 "$LOCALAPPDATA\fireside\started.txt" a
  FileSeek $1 0 END
  FileWrite $1 "${VERSION} $0$\r$\n"
  FileClose $1
  StrCmp $0 "--stay" 0 +2
  Sleep 120000
SectionEnd
