; The Windows installer: for one person, without an administrator, into their own Programs folder.
; usage: makensis -INPUTCHARSET UTF8 -DVERSION=0.1.0 -DFOLDER=dist\fireside -DICON=fireside.ico -DOUT=dist\fireside-0.1.0-windows.exe fireside.nsi
; What a person wrote lies in %LOCALAPPDATA%\fireside; neither an upgrade nor the uninstaller touches it.
Unicode true
!ifdef TARGET  ; amd64-unicode, where NSIS has it (Debian's does): for a Windows, or a Wine, without 32-bit programs
  Target ${TARGET}
!endif
!ifndef VERSION
  !error "VERSION is missing"
!endif
!ifndef FOLDER
  !error "FOLDER is missing: what portable.py made"
!endif
!ifdef ICON  ; which desktop.py draws
  !define MUI_ICON "${ICON}"
  !define MUI_UNICON "${ICON}"
!endif
!include "MUI2.nsh"
!include "FileFunc.nsh"

!define KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\Fireside"
!define CLASSES "Software\Classes"
!define PROGRAM "$INSTDIR\fireside.exe"
!define WINDOW "$INSTDIR\firesidew.exe"  ; the same without a console: for menu entries and files

Name "Fireside"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\Fireside"
InstallDirRegKey HKCU "${KEY}" "InstallLocation"
RequestExecutionLevel user
SetCompressor /SOLID lzma
BrandingText "Fireside ${VERSION}"
ManifestDPIAware true
VIProductVersion "${VERSION}.0"
VIAddVersionKey "ProductName" "Fireside"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "Chat with language models on your own computer"
VIAddVersionKey "LegalCopyright" "Apache-2.0"
!ifdef SIGN
  !finalize '${SIGN} "%1"'
  !uninstfinalize '${SIGN} "%1"'
!endif

!define MUI_FINISHPAGE_RUN "${WINDOW}"
!insertmacro MUI_PAGE_LICENSE "${FOLDER}\licences\LICENSE"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "German"
!insertmacro MUI_LANGUAGE "Arabic"

LangString StillOpen ${LANG_ENGLISH} "Fireside is still open. Nothing was changed. Close its windows, then try again."
LangString StillOpen ${LANG_GERMAN} "Fireside ist noch offen. Nichts wurde verändert. Bitte schließen Sie seine Fenster und versuchen Sie es noch einmal."
LangString StillOpen ${LANG_ARABIC} "لا يزال Fireside مفتوحًا. لم يتغيّر شيء. أغلق نوافذه ثم حاول مرة أخرى."

; What runs cannot be replaced or removed, and half of it would be: Windows lets nobody write into a file that runs.
!macro StopWhileOpen
  !insertmacro StopWhileRuns "${PROGRAM}" program
  !insertmacro StopWhileRuns "${WINDOW}" window
!macroend
!macro StopWhileRuns FILE NAME
  retry_${NAME}:
  IfFileExists "${FILE}" 0 closed_${NAME}
    ClearErrors
    FileOpen $0 "${FILE}" a
    IfErrors 0 writable_${NAME}
      MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(StillOpen)" /SD IDCANCEL IDRETRY retry_${NAME}
      Abort
    writable_${NAME}:
    FileClose $0
  closed_${NAME}:
!macroend

; The menu that a right click on a document shows.
!macro Offer ENDING
  WriteRegStr HKCU "${CLASSES}\SystemFileAssociations\${ENDING}\shell\Fireside.Summarize" "" "Summarize with Fireside"
  WriteRegStr HKCU "${CLASSES}\SystemFileAssociations\${ENDING}\shell\Fireside.Summarize" "Icon" "${PROGRAM}"
  WriteRegStr HKCU "${CLASSES}\SystemFileAssociations\${ENDING}\shell\Fireside.Summarize\command" "" '"${WINDOW}" --summarize "%1"'
  WriteRegStr HKCU "${CLASSES}\SystemFileAssociations\${ENDING}\shell\Fireside.Translate" "" "Translate with Fireside"
  WriteRegStr HKCU "${CLASSES}\SystemFileAssociations\${ENDING}\shell\Fireside.Translate" "Icon" "${PROGRAM}"
  WriteRegStr HKCU "${CLASSES}\SystemFileAssociations\${ENDING}\shell\Fireside.Translate\command" "" '"${WINDOW}" --translate "%1"'
!macroend
!macro Withdraw ENDING
  DeleteRegKey HKCU "${CLASSES}\SystemFileAssociations\${ENDING}\shell\Fireside.Summarize"
  DeleteRegKey HKCU "${CLASSES}\SystemFileAssociations\${ENDING}\shell\Fireside.Translate"
!macroend
!macro EachDocument WHAT
  !insertmacro ${WHAT} ".pdf"
  !insertmacro ${WHAT} ".docx"
  !insertmacro ${WHAT} ".odt"
  !insertmacro ${WHAT} ".epub"
  !insertmacro ${WHAT} ".html"
  !insertmacro ${WHAT} ".md"
  !insertmacro ${WHAT} ".txt"
  !insertmacro ${WHAT} ".pptx"
  !insertmacro ${WHAT} ".xlsx"
  !insertmacro ${WHAT} ".odp"
  !insertmacro ${WHAT} ".ods"
  !insertmacro ${WHAT} ".rtf"
  !insertmacro ${WHAT} ".csv"
  !insertmacro ${WHAT} ".srt"
  !insertmacro ${WHAT} ".eml"
!macroend

Section "Fireside"
  !insertmacro StopWhileOpen
  ; Of the version before nothing stays, also no library that this one has no more.
  RMDir /r "$INSTDIR\_internal"
  RMDir /r "$INSTDIR\licences"
  SetOutPath "$INSTDIR"
  File /r "${FOLDER}\program\*"
  SetOutPath "$INSTDIR\licences"
  File /r "${FOLDER}\licences\*"
  SetOutPath "$INSTDIR"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortcut "$SMPROGRAMS\Fireside.lnk" "${WINDOW}"

  DeleteRegKey HKCU "${CLASSES}\Applications\fireside.exe"  ; as earlier versions had it
  WriteRegStr HKCU "${CLASSES}\.gguf\OpenWithProgids" "Fireside.Model" ""
  WriteRegStr HKCU "${CLASSES}\Fireside.Model" "" "Language model"
  WriteRegStr HKCU "${CLASSES}\Fireside.Model\DefaultIcon" "" "${PROGRAM},0"
  WriteRegStr HKCU "${CLASSES}\Fireside.Model\shell\open\command" "" '"${WINDOW}" "%1"'
  WriteRegStr HKCU "${CLASSES}\Applications\firesidew.exe\shell\open\command" "" '"${WINDOW}" "%1"'
  !insertmacro EachDocument Offer

  WriteRegStr HKCU "${KEY}" "DisplayName" "Fireside"
  WriteRegStr HKCU "${KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${KEY}" "DisplayIcon" "${PROGRAM}"
  WriteRegStr HKCU "${KEY}" "Publisher" "The Fireside developers"
  WriteRegStr HKCU "${KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${KEY}" "NoModify" 1
  WriteRegDWORD HKCU "${KEY}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  IntFmt $0 "0x%08X" $0
  WriteRegDWORD HKCU "${KEY}" "EstimatedSize" $0
SectionEnd

Section "Uninstall"
  !insertmacro StopWhileOpen
  Delete "$SMPROGRAMS\Fireside.lnk"
  RMDir /r "$INSTDIR\_internal"
  RMDir /r "$INSTDIR\licences"
  Delete "$INSTDIR\fireside.exe"
  Delete "$INSTDIR\firesidew.exe"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  DeleteRegValue HKCU "${CLASSES}\.gguf\OpenWithProgids" "Fireside.Model"
  DeleteRegKey HKCU "${CLASSES}\Fireside.Model"
  DeleteRegKey HKCU "${CLASSES}\Applications\fireside.exe"  ; as earlier versions had it
  DeleteRegKey HKCU "${CLASSES}\Applications\firesidew.exe"
  !insertmacro EachDocument Withdraw
  DeleteRegKey HKCU "${KEY}"
SectionEnd
