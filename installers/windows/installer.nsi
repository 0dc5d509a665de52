; The installer for Windows: for one person, without an administrator.
;
; makensis -DVERSION=1.2.3 -DSOURCE=dist\mcp-gateway-desktop -DICON=build\icons\mcp-gateway-desktop.ico -DOUTPUT=dist\setup.exe
; Silent: setup.exe /S [/D=folder], and uninstall.exe /S. Settings, secrets and catalogs of the person stay.

Unicode true
Target amd64-unicode
SetCompressor /SOLID lzma
RequestExecutionLevel user

!include "MUI2.nsh"
!include "FileFunc.nsh"
!include "LogicLib.nsh"
!include "WinMessages.nsh"

!define NAME "MCP Gateway"
!define APP "mcp-gateway-desktop"
!define FULL_NAME "MCP Gateway Desktop"
!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\${APP}"
!define RUN_KEY "Software\Microsoft\Windows\CurrentVersion\Run"
!define APPROVED_KEY "Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
!define CLASS_KEY "Software\Classes\${APP}"

Name "${NAME}"
OutFile "${OUTPUT}"
InstallDir "$LOCALAPPDATA\Programs\${FULL_NAME}"
InstallDirRegKey HKCU "${UNINSTALL_KEY}" "InstallLocation"
Icon "${ICON}"
UninstallIcon "${ICON}"
BrandingText "${FULL_NAME} ${VERSION}"
ShowInstDetails nevershow
ShowUninstDetails nevershow

VIProductVersion "${VERSION}.0"
VIAddVersionKey "ProductName" "${FULL_NAME}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "Installs ${FULL_NAME}"
VIAddVersionKey "LegalCopyright" "MIT license"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_FINISHPAGE_RUN "$INSTDIR\${APP}.exe"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

; What runs of the program keeps its files in use. The tray is asked to end; what still runs from our folder after ten
; seconds is ended. Docker's own docker-mcp.exe has the same name as ours, so the folder decides.
!macro EndProgram UN
Function ${UN}EndProgram
  nsExec::Exec 'taskkill /IM "${APP}.exe"'
  StrCpy $R0 0
  ${Do}
    ${IfNot} ${FileExists} "$INSTDIR\${APP}.exe"
      ${ExitDo}
    ${EndIf}
    ClearErrors
    FileOpen $R1 "$INSTDIR\${APP}.exe" a
    ${IfNot} ${Errors}
      FileClose $R1
      ${ExitDo}
    ${EndIf}
    Sleep 500
    IntOp $R0 $R0 + 1
  ${LoopUntil} $R0 > 20
  nsExec::Exec "powershell -NoProfile -NonInteractive -Command $\"Get-Process docker-mcp, ${APP} -ErrorAction Ignore | \
Where-Object { $$_.Path -and $$_.Path.StartsWith('$INSTDIR\') } | Stop-Process -Force$\""
FunctionEnd
!macroend
!insertmacro EndProgram ""
!insertmacro EndProgram "un."

; The folder among the person's PATH, so that docker-mcp can be typed.
!macro ChangePath UN
; $R0: add or remove. A PATH too long for this installer (NSIS_MAX_STRLEN) is left alone.
Function ${UN}ChangePath
  ClearErrors
  ReadRegStr $R1 HKCU "Environment" "Path"
  ${If} ${Errors}
    ; There is none, or it is too long to be read.
    StrCpy $R1 ""
    StrCpy $R6 0
    ${Do}
      ClearErrors
      EnumRegValue $R7 HKCU "Environment" $R6
      ${If} $R7 == "Path"
        Return
      ${EndIf}
      IntOp $R6 $R6 + 1
    ${LoopUntil} $R7 == ""
  ${EndIf}
  StrLen $R2 $R1
  StrLen $R3 "$INSTDIR;"
  IntOp $R2 $R2 + $R3
  ${If} $R2 >= 1000
    Return
  ${EndIf}
  ; Go through its parts, leaving ours out.
  StrCpy $R4 ""
  StrCpy $R5 ""
  StrCpy $R6 0
  ${Do}
    StrCpy $R7 $R1 1 $R6
    ${If} $R7 == ";"
    ${OrIf} $R7 == ""
      ${If} $R5 != ""
      ${AndIf} $R5 != "$INSTDIR"
        ${If} $R4 != ""
          StrCpy $R4 "$R4;"
        ${EndIf}
        StrCpy $R4 "$R4$R5"
      ${EndIf}
      StrCpy $R5 ""
    ${Else}
      StrCpy $R5 "$R5$R7"
    ${EndIf}
    IntOp $R6 $R6 + 1
  ${LoopUntil} $R7 == ""
  ${If} $R0 == "add"
    ${If} $R4 != ""
      StrCpy $R4 "$R4;"
    ${EndIf}
    StrCpy $R4 "$R4$INSTDIR"
  ${EndIf}
  ${If} $R4 == ""
    DeleteRegValue HKCU "Environment" "Path"
  ${Else}
    WriteRegExpandStr HKCU "Environment" "Path" "$R4"
  ${EndIf}
  SendMessage ${HWND_BROADCAST} ${WM_SETTINGCHANGE} 0 "STR:Environment" /TIMEOUT=2000
FunctionEnd
!macroend
!insertmacro ChangePath ""
!insertmacro ChangePath "un."

Section
  SetOutPath "$INSTDIR"
  Call EndProgram
  ; Parts of a former version would be mixed with ours.
  RMDir /r "$INSTDIR\_internal"
  File /r "${SOURCE}/*.*"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortcut "$SMPROGRAMS\${NAME}.lnk" "$INSTDIR\${APP}.exe"

  WriteRegStr HKCU "${CLASS_KEY}" "" "URL:${NAME}"
  WriteRegStr HKCU "${CLASS_KEY}" "URL Protocol" ""
  WriteRegStr HKCU "${CLASS_KEY}\DefaultIcon" "" '"$INSTDIR\${APP}.exe",0'
  WriteRegStr HKCU "${CLASS_KEY}\shell\open\command" "" '"$INSTDIR\${APP}.exe" "%1"'

  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayName" "${FULL_NAME}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\${APP}.exe"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "EstimatedSize" $0

  StrCpy $R0 "add"
  Call ChangePath
SectionEnd

Section "Uninstall"
  Call un.EndProgram
  nsExec::Exec '"$INSTDIR\docker-mcp.exe" plugin uninstall'
  DeleteRegValue HKCU "${RUN_KEY}" "${APP}"
  DeleteRegValue HKCU "${APPROVED_KEY}" "${APP}"
  DeleteRegKey HKCU "${CLASS_KEY}"
  DeleteRegKey HKCU "${UNINSTALL_KEY}"
  Delete "$SMPROGRAMS\${NAME}.lnk"
  StrCpy $R0 "remove"
  Call un.ChangePath
  RMDir /r "$INSTDIR\_internal"
  Delete "$INSTDIR\${APP}.exe"
  Delete "$INSTDIR\docker-mcp.exe"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
SectionEnd
